"""The ground floor: types, errors, events, state, graph shape, chat port, clock. Imports nothing of ours."""
