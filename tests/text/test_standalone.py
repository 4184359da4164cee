"""Which sentences can be quoted alone, and what keeps the others from it."""

from __future__ import annotations

import pytest

from autonomy.text.standalone import flaw

WHOLE = [
    ("en", "When a task is cancelled, an error is raised in it at the next opportunity."),
    ("en", "asyncio.run() starts the event loop and closes it at the end."),
    ("en", "A task that is not referenced elsewhere may get collected at any time."),
    ("en", "This module provides an interface to the system's clock."),
    ("en", "Avoid holding a lock while the file is written."),
    ("en", "A spare lock stands ready for each worker thread."),
    ("en", "The typical precision of 53 bits provides floats with fifteen digits."),
    ("en", "Users see the window as soon as it opens on the screen."),
    ("de", "Ein Paket kann von anderen Paketen abhängen, die vorher eingerichtet werden."),
    ("es", "Un paquete puede depender de otros paquetes que se instalan antes."),
    ("fr", "Un paquet peut dépendre d'autres paquets qui sont installés avant."),
    ("ja", "パッケージは他のパッケージに依存することができる。"),
    ("zh", "一个软件包可以依赖于其他需要预先安装的软件包。"),
]
FLAWED = [
    ("en", "Copyright (C) 2007 The Pump Makers, Inc. Everyone is permitted to copy the plan of the pump.", "fragment"),
    ("en", "It is raised in the task at the next opportunity.", "dangling"),
    ("en", "However, most code can safely ignore the error that is raised.", "dangling"),
    ("en", "Note that if this number is greater than zero the task still runs.", "dangling"),
    ("en", "Obviously, this package is meant for users of the stable release.", "dangling"),
    ("en", "Before you can use it, you need the extensions for your system.", "dangling"),
    ("en", "The event loop is described in the following section of the manual.", "pointer"),
    ("en", "See the documentation of the module for more about locks.", "pointer"),
    ("en", "Tasks are cancelled with a call to the method shown below.", "pointer"),
    ("en", "Return the current task of the running event loop.", "fragment"),
    ("en", "Fires when the interpreter starts a collection of the garbage.", "fragment"),
    ("en", "A list of callbacks that will be invoked by the collector.", "fragment"),
    ("en", "An abstract base class for time zone information objects.", "fragment"),
    ("en", "Allowing applications to clear their own types when they appear.", "fragment"),
    ("en", "An extensive list of testing tools including functional frameworks and mock libraries.", "fragment"),
    ("en", "For a fuller explanation, please see the arithmetic chapter in the tutorial.", "pointer"),
    ("en", "Must accept a request from the socket, and return a pair of values.", "fragment"),
    ("en", "A bool indicating whether the memory is read only.", "fragment"),
    ("en", "The internal block size of the hash algorithm in bytes.", "fragment"),
    ("en", "Below is an example of a dictionary that configures the loggers.", "fragment"),
    ("en", "and the task is then cancelled by the running loop.", "fragment"),
    ("en", "Too short a sentence.", "short"),
    ("en", "Task Cancellation and Other Ways to End a Program", "unterminated"),
    ("en", "How can a task be cancelled from another thread?", "question"),
    ("en", "Cancelling a running task of the loop ............ 14.", "contents"),
    ("en", "The values {a: 1, b: 2} are what the call returns to you.", "code"),
    ("en", "The lock is released (as soon as the block is left.", "unbalanced"),
    ("en", "Ports are opened for the usual services, e.g.", "cut"),
    ("de", "Dies wird im Paket festgehalten, das eingerichtet wird.", "dangling"),
    ("de", "Wie oben beschrieben, hängen Pakete von anderen Paketen ab.", "pointer"),
    ("de", "Die Pakete werden im nächsten Abschnitt einzeln vorgestellt und erklärt.", "pointer"),
    ("es", "Sin embargo, los paquetes dependen de otros paquetes instalados.", "dangling"),
    ("es", "Los paquetes se describen en la siguiente sección de este manual.", "pointer"),
    ("fr", "Cependant, les paquets dépendent d'autres paquets déjà installés.", "dangling"),
    ("ja", "これは他のパッケージに依存することができるものである。", "dangling"),
    ("ja", "依存関係については以下の節を参照してください。例を示します。", "pointer"),
    ("zh", "但是它可以依赖于其他需要预先安装的软件包。", "dangling"),
    ("zh", "软件包的依赖关系将在下一节中详细介绍给读者。", "pointer"),
]


@pytest.mark.parametrize(("language", "sentence"), WHOLE)
def test_a_whole_sentence_stands_alone(language: str, sentence: str) -> None:
    assert flaw(sentence, language) == ""


@pytest.mark.parametrize(("language", "sentence", "found"), FLAWED)
def test_a_flaw_is_named(language: str, sentence: str, found: str) -> None:
    assert flaw(sentence, language) == found


LONG = (
    "Subject to the terms of this License, each Maker hereby grants to You a lasting, worldwide, free, irrevocable (except as "
    "stated in this section) licence to make, use, sell, lend and otherwise pass on the Pump, where such licence covers only "
    "those Pump parts that are needed by the Pump(s) alone or by joining the Pump(s) with the house to which such Pump(s) came."
)


def test_a_long_sentence_is_whole_only_where_long_ones_are_let_pass() -> None:
    assert flaw(LONG, "en") == "long"
    assert flaw(LONG, "en", long=True) == ""
    assert flaw(LONG.replace("(except as stated in this section)", "as stated in this section"), "en", long=True) == "pointer"
    assert flaw(f"{LONG[:-1]}, {LONG}", "en", long=True) == "long"


def test_a_bare_verb_is_a_fragment_only_below_a_signature() -> None:
    sentence = "Run the command with a user name to see who owns the files."
    assert flaw(sentence, "en") == ""
    assert flaw(sentence, "en", below_signature=True) == "fragment"
