"""Words that `manner` counts, by language: of certainty and praise, of colour, of reasons, of talk. Own lists.

The classes of the bias list (factive, assertive, doubting, loaded words) are those of Recasens et al. (2013). Words that are
mostly used in a plain sense ("all", "must", "show") are left out: what is counted is to be worth a look.
"""

from __future__ import annotations

import re


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)


OVERCLAIM = {
    "en": _words(
        r"always|never|proves?|proven|undoubtedly|undeniabl[ey]|unquestionabl[ey]|indisputabl[ey]|without (?:any )?doubt|"
        r"no doubt|beyond (?:any )?doubt|certainly|definitely|absolutely|completely|totally|entirely|utterly|perfect(?:ly)?|"
        r"guarantee[sd]?|impossible|inevitabl[ey]|infallibl[ey]|flawless(?:ly)?|everyone knows|everybody|nobody|obviously|"
        r"clearly|revolutionary|groundbreaking|ground-breaking|unprecedented|unparalleled|unrivalled|unmatched|world-class|"
        r"cutting-edge|state-of-the-art|game-changing|game-changer|best-in-class|legendary|iconic|visionary|remarkabl[ey]|"
        r"extraordinar(?:y|ily)|outstanding|superb|brilliant(?:ly)?|amazing(?:ly)?|incredibl[ey]|ultimate|miraculous(?:ly)?"
    ),
    "de": _words(
        r"immer|nie|niemals|beweist|beweisen|bewiesen|zweifellos|zweifelsfrei|zweifelsohne|unbestreitbar|unbestritten|"
        r"unstrittig|ohne (?:jeden )?Zweifel|sicherlich|definitiv|absolut|vollkommen|völlig|restlos|perfekt\w*|garantiert|"
        r"unmöglich|unvermeidlich\w*|zwangsläufig|unfehlbar\w*|makellos\w*|jeder weiß|niemand|offensichtlich|"
        r"selbstverständlich|revolutionär\w*|bahnbrechend\w*|beispiellos\w*|unvergleichlich\w*|unübertroffen\w*|"
        r"weltklasse|einzigartig\w*|legendär\w*|visionär\w*|bemerkenswert\w*|außergewöhnlich\w*|hervorragend\w*|"
        r"herausragend\w*|brillant\w*|erstaunlich\w*|unglaublich\w*|ultimativ\w*|sensationell\w*"
    ),
    "es": _words(
        r"siempre|nunca|jamás|demuestran?|demostrado|indudablemente|innegable(?:mente)?|incuestionable(?:mente)?|"
        r"indiscutible(?:mente)?|sin (?:ninguna )?duda|sin lugar a dudas|ciertamente|definitivamente|absolutamente|"
        r"completamente|totalmente|enteramente|perfect[oa]s?|perfectamente|garantizad[oa]s?|imposible|inevitable(?:mente)?|"
        r"infalible|impecable(?:mente)?|todo el mundo sabe|nadie|obviamente|evidentemente|claramente|revolucionari[oa]s?|"
        r"sin precedentes|incomparable|inigualable|insuperable|legendari[oa]s?|visionari[oa]s?|extraordinari[oa]s?|"
        r"sobresaliente|brillante(?:mente)?|asombros[oa]s?|increíble(?:mente)?|definitiv[oa]s?|milagros[oa]s?|excepcional"
    ),
    "fr": _words(
        r"toujours|jamais|prouvent?|prouvé|indubitablement|indéniable(?:ment)?|incontestable(?:ment)?|indiscutable(?:ment)?|"
        r"sans (?:aucun )?doute|nul doute|certainement|assurément|absolument|complètement|totalement|entièrement|"
        r"parfait(?:e|s|es|ement)?|garantie?s?|impossible|inévitable(?:ment)?|infaillible|impeccable|tout le monde sait|"
        r"personne n['’]ignore|évidemment|manifestement|clairement|révolutionnaires?|sans précédent|inégalée?s?|"
        r"incomparable|inouïe?s?|légendaires?|visionnaires?|remarquable(?:ment)?|extraordinaires?|exceptionnel(?:le)?s?|"
        r"brillant(?:e|s|es)?|étonnant(?:e|s|es)?|incroyable(?:ment)?|ultimes?|miraculeu(?:x|se|ses)"
    ),
}
BIAS = {
    "en": _words(
        r"so-called|allegedly|purported(?:ly)?|supposedly|self-styled|self-proclaimed|notorious(?:ly)?|infamous(?:ly)?|"
        r"admit(?:s|ted) that|concede[sd]? that|confess(?:es|ed)?|boast(?:s|ed)?|insist(?:s|ed)?|"
        r"fail(?:s|ed)? to (?:see|admit)|"
        r"of course|naturally|needless to say|as everyone knows|fortunately|unfortunately|sadly|thankfully|regrettably|"
        r"shocking(?:ly)?|outrageous(?:ly)?|disgraceful(?:ly)?|shameful(?:ly)?|absurd(?:ly)?|ridiculous(?:ly)?|foolish(?:ly)?|"
        r"naive(?:ly)?|stupid(?:ly)?|heroic(?:ally)?|tragic(?:ally)?|evil|wicked|fanatic(?:al|s)?|extremists?|"
        r"propaganda|cronies|elitists?|snowflakes?|mainstream media|witch hunt|agenda-driven|hysterical(?:ly)?|bossy|illegals|"
        r"thugs?"
    ),
    "de": _words(
        r"sogenannt\w*|so genannt\w*|angeblich\w*|vermeintlich\w*|selbst ernannt\w*|selbsternannt\w*|berüchtigt\w*|"
        r"gibt zu|gab zu|räumt ein|gesteht|prahlt\w*|beharrt\w*|natürlich|bekanntlich|wie jeder weiß|"
        r"glücklicherweise|unglücklicherweise|leider|bedauerlicherweise|erfreulicherweise|schockierend\w*|skandalös\w*|"
        r"schändlich\w*|beschämend\w*|absurd\w*|lächerlich\w*|töricht\w*|naiv\w*|dumm\w*|heldenhaft\w*|tragisch\w*|böse\w*|"
        r"fanatisch\w*|Fanatiker\w*|Extremist\w*|Propaganda|Machenschaften|Handlanger\w*|Gutmensch\w*|Lügenpresse|"
        r"Hetzjagd|rückständig\w*|hysterisch\w*|Asylant\w*|Systempresse"
    ),
    "es": _words(
        r"llamad[oa]s? así|mal llamad[oa]s?|supuest[oa]s?|supuestamente|presunt[oa]s?|presuntamente|autoproclamad[oa]s?|"
        r"tristemente célebre|admiten?|admitió|reconoce que|confiesan?|presumen? de|insisten?|por supuesto|naturalmente|"
        r"como todos saben|afortunadamente|desafortunadamente|por desgracia|lamentablemente|por suerte|escandalos[oa]s?|"
        r"indignantes?|vergonzos[oa]s?|absurd[oa]s?|ridícul[oa]s?|ingenu[oa]s?|estúpid[oa]s?|neci[oa]s?|heroic[oa]s?|"
        r"heroicamente|trágic[oa]s?|trágicamente|malvad[oa]s?|fanátic[oa]s?|extremistas?|propaganda|secuaces|"
        r"elitistas?|caza de brujas|histéric[oa]s?|chusma"
    ),
    "fr": _words(
        r"soi-disant|prétendue?s?|prétendument|supposée?s?|autoproclamée?s?|tristement célèbres?|admet(?:tent)?|reconnaît que|"
        r"avouent?|se vantent?|insistent?|bien sûr|bien entendu|naturellement|comme chacun sait|heureusement|malheureusement|"
        r"hélas|par chance|scandaleu(?:x|se|ses|sement)|choquante?s?|honteu(?:x|se|ses|sement)|absurdes?|ridicules?|"
        r"naï(?:f|ve|fs|ves)|"
        r"stupides?|insensée?s?|héroïques?|tragiques?|tragiquement|maléfiques?|fanatiques?|extrémistes?|propagande|"
        r"sbires?|élitistes?|bien-pensance|chasse aux sorcières|arriérée?s?|hystériques?|racailles?"
    ),
}
GROUNDS = {
    "en": _words(
        r"because|since|as a result|therefore|thus|hence|consequently|due to|owing to|so that|for this reason|it follows|"
        r"for example|for instance|evidence|data|study|studies|according to|shows? that|found that|leads? to|causes?|prevents?"
    ),
    "de": _words(
        r"weil|da|denn|deshalb|daher|darum|deswegen|folglich|somit|infolge\w*|aufgrund|wegen|sodass|so dass|"
        r"aus diesem Grund|daraus folgt|zum Beispiel|etwa wenn|Belege?|Daten|Studien?|laut|zeigt, dass|führt zu|verhindert"
    ),
    "es": _words(
        r"porque|ya que|puesto que|dado que|por tanto|por lo tanto|por eso|así que|en consecuencia|debido a|a causa de|"
        r"de modo que|por esta razón|de ahí que|por ejemplo|pruebas?|datos|estudios?|según|muestra que|lleva a|causa|evita"
    ),
    "fr": _words(
        r"parce que|parce qu['’]\w+|car|puisque|puisqu['’]\w+|donc|ainsi|par conséquent|en raison de|à cause de|grâce à|"
        r"de sorte que|pour cette raison|il s['’]ensuit|par exemple|preuves?|données|études?|selon|montre que|conduit à|empêche"
    ),
}
TONE = {
    "en": re.compile(
        r"!|(?<!\w)(?:\w+n['’]t|(?:it|that|there|here|what|who|he|she)['’]s|(?:i|you|we|they|he|she|it|that|there|what|who)['’](?:m|re|ve|ll|d)|let['’]s|gonna|wanna|gotta|"
        r"kinda|sorta|stuff|guys?|kids|awesome|super|cool|crazy|huge|tons of|loads of|a lot of|lots of|pretty much|really|"
        r"basically|actually|literally|honestly|frankly|anyway|well,|okay|ok|yeah|wow|folks|you|your|yours|i|me|my|mine|"
        r"no-brainer|big deal|mess up|screwed?)(?!\w)",
        re.IGNORECASE,
    ),
    "de": re.compile(
        r"!|(?<!\w)(?:echt|krass|super|toll|cool|geil|irgendwie|sowieso|quasi|ehrlich gesagt|na ja|naja|okay|ok|"
        r"wow|Zeug|Kram|Leute|Jungs|Mädels|total|mega|riesig\w*|jede Menge|ein Haufen|haufenweise|gibt['’]s|"
        r"geht['’]s|hab['’]?|kriegt|kriegen|mal eben|ich|mir|mich|mein(?:e[mnrs]?)?|du|"
        r"dir|dich|dein(?:e[mnrs]?)?|ihr seid|übrigens)(?!\w)",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"[!¡]|(?<!\w)(?:guay|genial|mola|chulo|super|súper|chicos|bueno,|o sea|en plan|la verdad es que|"
        r"sinceramente|francamente|básicamente|literalmente|un montón|montones de|un huevo|cosillas|"
        r"flipar|alucinante|yo|me|mi|mis|mío|tú|te|tu|tus|tuyo|vosotros|oye|venga|vaya)(?!\w)",
        re.IGNORECASE,
    ),
    "fr": re.compile(
        r"!|(?<!\w)(?:super|génial|cool|sympa|truc|trucs|machin|bidule|bouquin|boulot|mec|mecs|gars|gens bien|ouais|ok|"
        r"okay|bon,|ben|bah|du coup|en gros|vachement|carrément|franchement|honnêtement|littéralement|un tas de|"
        r"plein de|dingue|ça|moi|mon|ma|mes|toi|ta|tes|je|tu|j['’]\w+|t['’]\w+)(?!\w)",
        re.IGNORECASE,
    ),
}
