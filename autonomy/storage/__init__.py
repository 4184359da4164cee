"""Engine, tables, transactions, migrations, and the few sentences in which SQLite and PostgreSQL differ."""
