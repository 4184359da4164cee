"""Function words per language: what carries grammar and no subject.

They decide two things: which words are left out of the index, and which language a paragraph is in. A word that
often is a subject ("can", "will" as nouns) stays in the list, because as a subject it is rare.
"""

from __future__ import annotations

_EN = """
a about above after again against all almost already also although always am among an and another any anyone anything are
around as at away be became because become been before being below between both but by can cannot could did do does doing
done down during each either else enough even ever every few for from further get gets given had has have having he hence
her here hers him his how however i if in instead into is it its itself just least less like made makes many may me
might more most much must my near neither never no nor not nothing now of off often on once one only onto or other others
otherwise our out over own per perhaps quite rather really same shall she should since so some something still such than
that the their them themselves then there therefore these they this those though through thus to together too toward under
until up upon us use used uses using very via was we were what when where whether which while who whole whom whose why will
with within without would yes yet you your yours
"""

_DE = """
ab aber alle allem allen aller alles als also am an andere anderen anderer anderes auch auf aus bei beim bereits bevor bin bis
bist da dabei dadurch dafür dagegen daher damit danach dann daran darauf daraus darf darin darüber darum das dass davon dazu
dein deine dem den denen denn der deren des deshalb dessen die dies diese diesem diesen dieser dieses doch dort du durch
dürfen ebenfalls ebenso ein eine einem einen einer eines einige einigen einiger er erst es etwa etwas euch euer falls für
gegen gegenüber gewesen hab habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer
in indem ins ist ja je jede jedem jeden jeder jedes jedoch kann kein keine keinen keiner können könnte lassen man manche mehr
mein meine mich mir mit möchte müssen muss nach nachdem neben nein nicht nichts noch nun nur ob obwohl oder ohne schon sehr
sein seine seinem seinen seiner seit selbst sich sie sind so sobald sofern solche solchen soll sollen sollte sollten somit
sondern sonst soweit sowie sowohl statt über um und uns unser unsere unter viel viele vielen vom von vor während war waren
warum was weder wegen weil weiter weitere weiteren welche welchem welchen welcher welches wenn wenig wer werde werden wie
wieder will wir wird wo wobei wodurch wollen worden wurde wurden würde würden zu zum zur zwar zwischen
"""

_ES = """
a al algo algún alguna algunas alguno algunos ante antes aquel aquella aquellas aquello aquellos aquí así aun aún aunque bajo
bien cada casi como cómo con contra cual cuál cuales cualquier cuando cuándo cuanto de debe deben del desde después donde dónde
dos durante e el él ella ellas ellos en entonces entre era eran es esa esas ese eso esos esta está estaba están estar estas
este esto estos fue fueron ha haber había habían han hasta hay he la las le les lo los luego más me mediante menos mi mientras
mis mismo misma mismos mismas mucha muchas mucho muchos muy nada ni ningún ninguna ninguno no nos nosotros nuestra nuestro o os
otra otras otro otros para pero poco podría por porque pues puede pueden que qué quien quién quienes se sea sean según ser si
sí sido siempre sin sino sobre solo sólo son su sus también tampoco tan tanto te tener tiene tienen toda todas todavía todo
todos tras tu tus un una unas uno unos usted ustedes ya yo y
"""

_FR = """
à afin ai ainsi alors après assez au aucun aucune aujourd aussi autre autres aux avait avant avec avoir ayant beaucoup bien car
ce ceci cela celle celles celui cependant ces cet cette ceux chaque chez ci comme comment contre dans de depuis des donc dont
du elle elles en encore entre est et étaient était étant être eu eux fait faire fois font il ils je jusque la là laquelle le
lequel les lesquelles lesquels leur leurs lors lorsque lui ma mais me même mêmes mes moi moins mon ne ni non nos notre nous on
ont ou où par parce parfois pas pendant peu peut peuvent plus plusieurs plutôt pour pourquoi puis qu quand que quel quelle
quelles quelque quelques quels qui quoi sa sans se selon sera ses seulement si sinon soit son sont sous souvent sur ta tandis
tant te tel telle telles tels tes toi ton toujours tous tout toute toutes très trop tu un une vers voici voilà vos votre vous y
"""

_IT = """
a ad ai al alla alle allo anche ancora avere aveva che chi ci come con contro cui da dal dalla dalle dallo degli dei del della
delle dello dentro di dopo dove e ed è era erano essere fa fino fra gli ha hanno i il in io la le lei lo loro lui ma me mentre
mi mio molto ne negli nei nel nella nelle nello no noi non nostro o ogni per perché però più poi prima può qual quale quali
quando quanto quella quelle quelli quello questa queste questi questo qui se sei senza si sia sono sopra sotto sta stato su
sua sue sugli sui sul sulla sulle suo suoi tra tu tutti tutto un una uno vi voi
"""

_PT = """
a à ao aos aquela aquele aquilo as às até com como contra da das de dela dele delas deles depois desde do dos e é ela elas ele
eles em entre era eram essa essas esse esses esta está estão estas este estes eu foi foram há isso isto já lhe mais mas me mesmo
meu minha muito na não nas nem no nos nós nossa nosso num numa o os ou para pela pelas pelo pelos pode podem por porque qual
quando que quem se sem ser seu seus só sua suas também tem têm ter todo todos um uma umas uns você vocês
"""

_NL = """
aan al alle als altijd ander andere ben bij daar dan dat de den der deze die dit doch doen door dus een en er ge geen geweest
haar had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon kunnen maar me meer men met mij mijn moet
na naar niet niets nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van veel voor want waren was
wat we wel werd wezen wie wij wil worden zal ze zei zelf zich zij zijn zo zonder zou
"""

_CARRIERS = {
    "en": """
    actually always avoid avoided avoiding avoids bad beginner beginners best better big cause caused causes certain
    certainly common danger dangerous dangers developer developers different done easy engineer engineers ensure ensured
    ensures example examples find go goes going good guide guides happen happened happening happens hard help helped helpful
    helps important introduction keep keeping keeps kept kind kinds know let lets main make matter matters mean means mistake
    mistakes need needed needs pitfall pitfalls possible practice practices prevent prevented prevents problem problems
    programmer programmers properly reason reasons right risk risks risky running safe safely small sort sorts sure take
    takes team teams tell thing things want wants way ways work worked workflow workflows works wrong
    """,
    "de": """
    anfänger anleitung beispiel beispiele beste besten einführung entwickler leitfaden team teams vermeiden vermeidet
    braucht brauchen brauche falsch gibt grund gründe gut gute guten gutes helfen hilft macht machen möglich nötig notwendig
    passiert problem probleme richtig schlecht sicher verhindern verhindert weise wichtig funktioniert funktionieren bleibt
    bleiben hält halten
    """,
    "es": """
    ayuda ayudan bien bueno buena buenos buenas ejemplo ejemplos desarrollador desarrolladores equipo equipos evita
    evitar forma guía introducción principiantes prácticas práctica funciona funcionan hace hacen hacer importante manera
    malo mala mantener mantiene mantienen mejor motivo necesario necesita necesitan ocurre pasa posible problema problemas
    razón razones seguro segura sirve sirven
    """,
    "fr": """
    aide aident besoin bon bonne bons bonnes cause causes empêche empêcher exemple exemples fonctionne fonctionnent façon
    garde garder important importante manière marche mauvais meilleur meilleure nécessaire possible problème problèmes
    raison raisons sert servent sûr sûre
    """,
}
"""Words that carry a question and are not its subject: they are searched, and no passage is about them."""

STOP_WORDS: dict[str, frozenset[str]] = {
    code: frozenset(words.split())
    for code, words in {"en": _EN, "de": _DE, "es": _ES, "fr": _FR, "it": _IT, "pt": _PT, "nl": _NL}.items()
}

CARRIERS: dict[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _CARRIERS.items()}


def is_stop_word(word: str, language: str) -> bool:
    """Whether the lower-case word carries no subject; languages without a list have no stop words."""
    return word in STOP_WORDS.get(language, frozenset())


def is_carrier(word: str, language: str) -> bool:
    """Whether the lower-case word is one that questions of any subject are put with ("keep", "safe", "problem")."""
    return word in CARRIERS.get(language, frozenset())
