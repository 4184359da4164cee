"""What keeps a sentence from standing alone, per language: openers that need the sentence before, and pointers elsewhere.

`DANGLING` matches at the start of a sentence, `POINTER` anywhere in it, `FRAGMENT` at the start of an entry without a
subject, `ENTRY_VERB` the verbs that make one only directly below a signature.
"""

from __future__ import annotations

import re

_DANGLING_EN = r"""
(?:this|these|those|that|such)(?!\ (?:module|modules|library|package|program|standard|pep|guide|manual|book|document|licen[cs]e
    |agreement)\b)
| it(?:['’]s)? | they | them | he | she | him | her | his | its | their | we\ then | both | neither
| (?:the\ )?(?:former|latter) | the\ first(?=,|\ (?:is|are|one|of|two|three)\b) | the\ (?:above|below|following|preceding
    |previous|same|other|others|rest|next|second|third|reason)
| (?:another|one|each|some|many|most|all|any|none|either|several|two|three)\ of\ (?:the[sm]e?|those|which|it)
| another | others? | (?:one|an)\ (?:example|exception|alternative)
| however | therefore | thus | hence | moreover | furthermore | also | instead | otherwise | nevertheless | nonetheless
| for\ (?:example|instance|this|that|these|more|details) | e\.g\. | i\.e\. | in\ (?:this|that|these|those|such|addition
    |other\ words|fact|contrast
| particular|either|both|the\ (?:latter|former|same|above|first|second|following|previous|other)) | similarly | likewise
    | conversely
| consequently | accordingly | additionally | alternatively | as\ (?:a\ result|such|before|above|an?\ (?:alternative|example
    |exception)|well|mentioned|noted|shown|described|discussed|you\ (?:can|may)\ see|we)
| on\ the\ (?:other|one|contrary) | then | but | and | or | so | yet | still | finally | first(?:ly)?, | second(?:ly)?,
    | third(?:ly)?, | lastly
| next | again | besides | meanwhile | indeed | rather | now | here | there(?=,) | even\ so | if\ (?:so|not) | that\ is
    | to\ (?:this|that)\ end
| to\ (?:do|avoid|see|achieve|fix|solve)\ (?:this|that|so|it|these) | by\ (?:doing|contrast) | at\ (?:this|that)\ (?:point
    |time|stage) | not\ (?:so|only\ that)
| (?:when|if|because|since|as|after|before|while|although|though|unlike|like|for|with|without|from|of|on|by|to|in|at|once
    |unless|until|under
|\ despite|even\ (?:if|though)|during|behind|besides|using|given|why|where|how|what|doing|both|instead\ of
    |because\ of)\ (?:it|this|these|those|they|them|its|their|such|he|she|his|that\ (?:case|way|reason|time|point))
| (?:yes|no|well|ok|okay|sure|right), | the\ (?:first|second|third|last)\ (?:one|of) | same\b | ditto
    | more(?:over)?\ (?:precisely|specifically|generally)
| (?:specifically|basically|note\ (?:also|however)|only\ then|hereafter|thereafter|afterwards|further|in\ short|in\ summary
    |in\ general|in\ practice|to\ summarize|above\ all)
"""

_DANGLING_DE = r"""
dies(?:e[rsmn]?)? | jene[rsmn]? | er | es(?!\ (?:gibt|existier|ist\ (?:möglich|wichtig|nötig|ratsam|empfehlenswert
    |notwendig))) | sie | ihn | ihm | ihr | ihre[rsmn]? | seine[rsmn]?
| solche[rsmn]? | beide | letztere[rsmn]? | erstere[rsmn]? | (?:der|die|das|den|dem)selbe[n]? | das(?=\ (?:ist|sind|hat|heißt
    |bedeutet|kann|wird|führt|macht|gilt|liegt|geht)\b)
| jedoch | allerdings | dennoch | trotzdem | daher | deshalb | deswegen | darum | somit | folglich | also | außerdem | zudem
    | ferner | weiterhin | auch
| dabei | dadurch | dafür | dagegen | damit(?!\ \w+\ \w+.*,) | danach | daneben | daraus | darin | darüber | davon | dazu
    | dort | hier(?:bei|zu|mit|für|von|durch|nach)? | da(?:nn)?
| zum\ beispiel | z\.\ ?b\. | beispielsweise | d\.\ ?h\. | das\ heißt | und | oder | aber | denn | sondern | doch | so | nun
    | ebenso | ebenfalls | ansonsten | sonst
| andernfalls | andererseits | einerseits | schließlich | zuletzt | zuerst | zunächst | erstens | zweitens | drittens
    | stattdessen | vielmehr | nämlich
| (?:in|mit|bei|aus|nach|vor|durch|für|von|zu|auf|an|unter|über|wegen|ohne|wie|wenn|falls|da|weil|obwohl|sobald|trotz|im
    |um)\ (?:dies\w*|solch\w*|sie|ihn|ihm|ihr\w*|jene\w*|letzter\w*|folgenden|obigen|vorigen|es|er)
| (?:der|die|das|den|dem|im)\ (?:folgende[nrs]?|obige[nrs]?|vorherige[nrs]?|nächste[nrs]?|andere[nrs]?|erste[nrs]?
    |zweite[nrs]?|gleiche[nrs]?) | ein(?:e|en)?\ weitere[rsn]? | weitere
| wie\ (?:oben|bereits|schon|gesagt|erwähnt|beschrieben) | eine[rs]?\ (?:davon|dieser) | je\ nachdem
"""

_DANGLING_ES = r"""
est[eao]s? | es[eao]s? | aquell?[oa]s? | aquel | él | ella | ellos | ellas | ello | su | sus | lo(?=\ (?:anterior|mismo
    |siguiente|cual)) | ambos | ambas | dich[oa]s?
| es\ (?:más|decir) | sin\ embargo | no\ obstante | por\ (?:lo\ tanto|tanto|eso|ello|esta?|este|ejemplo|otro|otra
    |consiguiente|lo\ que|el\ contrario|último) | además | también | así
| entonces | luego | pero | y | e | o | pues | aunque\ (?:est|es) | asimismo | en\ (?:est[eao]s?|es[eao]s?|cambio
    |consecuencia|otras\ palabras|dicho|ambos|particular|concreto|su)
| de\ (?:est[eao]s?|es[eao]s?|hecho|lo\ contrario|la\ misma|igual|otro) | a\ (?:continuación|pesar\ de\ (?:est|es|ell)\w*
    |est[eao]s?|es[eao]s?) | con\ (?:est[eao]s?|es[eao]s?|ello|su) | para\ (?:est[eao]s?|es[eao]s?|ello|hacerlo|evitarlo)
| si\ (?:est[eao]s?|es\ así|no) | cuando\ (?:est[eao]s?|es[eao]s?) | como\ (?:se\ (?:ha|mencion|indic|vio)\w*|ya|hemos
    |puede\ ver) | primero | segundo, | finalmente | otr[oa]s? | tampoco | aquí | allí | ahora
| (?:el|la|los|las)\ (?:anterior|anteriores|siguiente|siguientes|mism[oa]s?|otr[oa]s?|segund[oa]|primer[oa]?|últim[oa])
    | uno\ de\ (?:ellos|estos) | una\ de\ (?:ellas|estas) | lo\ que | es\ por\ (?:esto|eso|ello) | voilà | usemos | veamos
    | supongamos
"""

_DANGLING_FR = r"""
ce(?:ci|la|t|s|tte|lui|lle|ux|lles)?(?!\ (?:module|guide|manuel|document|livre|paquet|programme)\b) | c['’]est
    | il(?!\ (?:existe|y\ a|est\ (?:possible|important|nécessaire|recommandé|conseillé))) | elle | ils | elles | son | sa
    | ses | leurs? | tel(?:le)?s? | ces | lui
| cependant | toutefois | néanmoins | donc | ainsi | alors | de\ (?:plus|même|ce|cette|ces|là) | en\ (?:outre|effet|revanche
    |conséquence|ce|cet|cette|particulier|fait|d['’]autres\ termes) | par\ (?:exemple|conséquent|contre|ailleurs|ce|cette)
    | aussi | également
| mais | et | ou | or | car | puis | ensuite | enfin | d['’]abord | sinon | autrement | dans\ (?:ce|cet|cette|ces|tous\ les)
    | pour\ (?:cela|ce|cette|ces|plus|autant) | avec\ (?:ce|cet|cette|ces) | à\ (?:ce|cet|cette|l['’]inverse) | ici | là
| (?:le|la|les)\ (?:premi\w+|second\w*|derni\w+|suivante?s?|précédente?s?|mêmes?|autres?) | l['’]autre | d['’]autres
    | un\ autre | une\ autre | si\ (?:ce|cela|c['’]est) | comme\ (?:ci|vu|indiqué|mentionné) | sur\ ce | lors\ de\ ce\w*
"""

_DANGLING_JA = (
    r"これ|それ|あれ|この(?!ドキュメント|モジュール|文書|マニュアル|ライブラリ)|その|あの|ここ|そこ|こう|そう|また、?|しかし|したがって|従って|そのため|ただし|なお|さらに|例えば|たとえば|つまり|すなわち|一方"
    r"|だから|だが|"
    r"そして|次に|同様に|このよう|そのよう|もう一つ|両方|両者|前者|後者|上記|下記|以下|前述|彼|彼女|逆に|ちなみに|よって|では、|でも|"
    r"もしそう|そうでな|これら|それら|それぞれ|他の|別の|最後に|まず|最初の|二つ目|三つ目|[0-9０-９]\s?番目|同様の|特に、|なぜなら|もちろん|いずれ"
)
_DANGLING_ZH = (
    r"这(?!个(?:模块|文档|手册|库)|本(?:书|手册))|那|此|其|它|他|她|该|上述|下述|以上|以下|前者|后者|两者|但|但是|然而|因此|所以|于是|另外|此外|同样|例如|比如|譬如|也就是|即|而|并且|而且|同时"
    r"|否则|不过|"
    r"接着|然后|最后|首先|其次|第二|如上|如下|如前|总之|反之|换句话说|在这|在此|对于这|为此|因为这|如果这|如果它|当它|这些|那些|另一|其他|還有|還|还|也"
)

_POINTER = {
    "en": r"""
    \b(?:the|as|shown|listed|given|described|discussed|mentioned|defined|explained|noted|illustrated|outlined|example|code
    |snippet|table|figure|list|section|seen)\ (?:above|below|follows?|following|previously|earlier|later)\b
    | \b(?:see|below|above)[.)]*$ | \bbelow\b(?=[,:;)]) | ^(?:see|cf\.?|refer|consult|compare|consider\ the\ (?:following
    |example)|click|visit|read\ (?:on|more))\b | [(;,]\ ?(?:see|cf\.?)\b | \bsee\ the\ (?:documentation|section|chapter
    |manual|reference|descriptions?|notes?|list|module|pages?)
    | \bsee\ (?:also|section|chapter|figure|table
    |appendix|[\w.]+\(\)|pep|rfc|below|above|[“"‘«])
    | \brefer\ to\ (?:the|section|chapter|appendix|(?-i:[A-Z])|§) | \bfor\ (?:more|further|additional|full
    |complete)\ (?:information
    |details?|examples?|documentation)\b | \bfor\ details\b | ^more\ (?:information|details?)\b
    | \bplease\ see\b | \bfollows?[.:]$ | \bin\ the\ examples?\b | \b(?:if|as|when|since)\ we\b
    | \b(?:previous|preceding|following|next|last|earlier|later|above)\ (?:section|chapter|example|paragraph|page|figure
    |table|code|snippet|subsection|step|command|line|list|recipe)s?\b | \bthe\ following\b
    | \bthe\ next\ (?:two|three|four|few|several)\b | \bas\ follows\b
    | \bfollowing\ (?:is|are)\b
    | \b(?:this|that|these|our|the\ current)\ (?:section|chapter|appendix|example|tutorial|page|paragraph|table|figure
    |subsection|list|howto|case\ study)s?\b | \b(?:figure|fig\.|table|listing|appendix|chapter|exercise|equation)\ (?:\d
    |[A-Z]\b)
    | \b(?:section)\ (?:\d|[“"‘«]|[A-Z]\.) | \b(?:i|we|we['’](?:ll|ve|re))\ (?:will|have|shall|can|now|saw|already|also|then
    |describe|discuss|recommend)\b | \b(?:let['’]s|let\ us)\b | \b(?:rest|remainder)\ of\ this\b | \b(?:described|documented
    |explained|discussed|covered|found|defined|listed)\ in\ (?:the\ )?(?:section|chapter|appendix|detail|\w+\ (?:section
    |chapter)|[“"‘«§])
    | \bhere\ (?:is|are|we|['’]s)\b | \bhere['’]s\b | \b(?:earlier|later)\ in\ th | \bsee\ (?-i:[A-Z]) | \blisted\ here\b
    | \bhere\b | \bclick\ on\b | \bfor\ an?\ (?:more\ )?(?:thorough|detailed|full|complete|longer|gentle|general)\ (?:\w+\ )?
    (?:explanation|description|discussion|introduction|list|account|overview)\b | \b(?:we['’](?:ll|ve|re|d))\b | \blet['’]s\b
    | \b(?:explained|described|shown|seen|listed|given|used|mentioned|defined|discussed)\ (?:above|below|earlier|before)\b
    """,
    "de": r"""
    \b(?:siehe|vgl\.|s\.\ ?[ou]\.)(?!\w) | \b(?:wie\ )?(?:oben|unten|nachfolgend|folgend|weiter\ (?:oben|unten)|im\ folgenden
    |wie\ folgt|vorherig|vorangegangen|nachstehend|obig|vorig|umseitig)\w*\b
    | \b(?:abbildung|tabelle|anhang|kapitel|abschnitt|listing|gleichung)\ (?:\d|[„“"»«A-Z]) | \b(?:dieses|diesem|dieser
    |nächsten?|letzten?|vorherigen|folgenden)\ (?:kapitel|abschnitt|beispiel|tabelle|seite|teil|buch)s? | \bwir\ (?:haben
    |werden|sehen|können)\b
    | \b(?:weitere|nähere|mehr)\ (?:informationen|details|einzelheiten)\b | \bhier\ (?:ist|sind|finden)\b | \bklicken\ sie\b
    """,
    "es": r"""
    \b(?:véase|vea(?:se)?|ver|consulte|consúltese|cf\.)\ (?:la|el|los|las|también|sección|capítulo|«|“|[A-Z])
    | \b(?:más\ (?:arriba|abajo|adelante)|a\ continuación|arriba\ (?:mencion|descrit)\w+|como\ sigue|abajo)\b
    | \b(?:siguiente|anterior|próxim[oa]|est[ea])s?\ (?:sección|capítulo|ejemplo|tabla|figura|apartado|página|orden|comando
    |párrafo)\b
    | \b(?:sección|capítulo|ejemplo|tabla|figura|apartado|lista|orden|paso)s?\ (?:siguiente|anterior)s?\b | \b(?:los|las|el
    |la|lo)\ siguientes?\b | \b(?:figura|tabla|apéndice|capítulo|sección)\ (?:\d|«|“) | \bmás\ (?:información|detalles)\b
    | \bcomo\ se\ (?:muestra|ha\ visto|indica|describe|explica)\b | \b(?:forma|manera|modo)\ siguiente\b
    | \b\w+\ (?:anterior|siguiente)(?:es|s)?\b | \b(?:hemos|veremos|vimos)\b | \bhaga\ clic\b | \baquí\ (?:está|hay|tiene)
    """,
    "fr": r"""
    \b(?:voir|voyez|cf\.|consultez|reportez-vous|référez-vous)(?!\w) | \b(?:ci-dessus|ci-dessous|ci-après|plus\ (?:haut|bas
    |loin)|comme\ suit)\b | \b(?:section|chapitre|exemple|tableau|figure|page|paragraphe|commande)s?\ (?:suivante?
    |précédente?)s?\b | \b(?:les?|la)\ suivante?s?\b
    | \b(?:figure|tableau|annexe|chapitre|section)\ (?:\d|«|“) | \b(?:cette|ce)\ (?:section|chapitre|exemple|page|annexe)\b
    | \bplus\ (?:d['’]informations?|de\ détails)\b | \bnous\ (?:avons|verrons|allons)\b | \bcliquez\b | \bvoici\b
    """,
    "ja": r"""
    以下の|次の(?:よう|例|節|章|表|図|コマンド|セクション)|上記|下記|前述|後述
    |前節|参照|を見て|ご覧
    |この(?:節|章|例|セクション|ページ|表)|上の|下の(?:例|表|図)|図\ ?\d|表\ ?\d
    |第\ ?\d+\ ?(?:章|節)|をクリック|については、?「|のとおり|の通り
    """,
    "zh": r"""
    参见|參見|请参阅|請參閱|参阅|参考第|请参考|请看|见第|详见|如下|以下|下面|上面|上述|下述
    |下列|上一[节章]|下一[节章]|前一[节章]|本[节章]|这一[节章]
    |上文|下文|如图|图\ ?\d|表\ ?\d
    |第\ ?[\d一二三四五六七八九十]+\ ?[章节]|点击|点按|更多信息|前面|后面的
    """,
}

_FRAGMENT = {
    "en": r"""
    (?:if|when|where|unless)\ (?:not\ )?(?:set|given|specified|omitted|provided|none|present|supplied|true|false|called|used
    |passed|empty|absent|enabled|disabled)
    | (?:raised|called|used|emitted|invoked|generated|created|returned|based|derived|inherited|implemented|set|sent
    |passed)\ (?:when|if|by|to|for|on|from|in|with|as)
    | must | should | may | can | will | below | above | two\ other | other
    | (?-i:[A-Z])[a-z]+s\ (?:an?|the|this|whether|all|any|each|and)\b | returns? | raises? | yields? | same\ as
    | equivalent\ to | like\ (?:the|[a-z_.]+\() | similar\ to | true\ if | false\ if | defaults?(?:\ is|\ to|:) | whether
    | deprecated | (?:new|added|changed|removed)\ in | optional | available
    | (?:sets|gets|creates|fires|occurs|happens|emitted|triggered|given|got|holds|stores|matches|behaves|works|waits|runs
    |starts|stops|ends|exits|specifies|determines|indicates|enables|controls|contains|provides|allows|defines|represents
    |wraps|called|used|takes|accepts|performs|calls|checks|converts|removes|adds|writes|reads|tests|sends|describes|displays
    |prints|shows|lists|opens|closes|causes|makes|ensures|uses|initializes|computes)\b(?!,)
    | (?:source\ code|copyright|©|all\ rights|license|licensed|author|authors|last\ (?:updated|modified|changed)|version
    |availability|prev|next\ page|table\ of\ contents|index|home|skip\ to|warning|note|tip|hint|example|output|usage|synopsis
    |syntax|platforms?|requires?|parameters?|keywords?|isbn|published|printed|revision|edition|contents|figure|table|q
    |a)\s*[:.|]
    | (?:thanks|thank\ you|acknowledg\w+|contributed\ by|written\ by|translated\ by|suggested\ by|patch\ by|based\ on)
    | permission\ (?:is|to) | redistribution | this\ (?:document|manual|guide|book)\ (?:is|was|may)\ (?:licensed|copyright
    |written|distributed|published)
    """,
    "de": r"""gibt\ .{2,40}\ zurück | liefert | erzeugt | setzt | standard(?:wert)?: | veraltet | neu\ in | hinweis:
    | tipp: | warnung: | beispiel: | copyright | alle\ rechte | lizenz | autor(?:en)?: | übersetz(?:ung|t)\ (?:von|durch)""",
    "es": r"""devuelve | retorna | lanza | obsoleto | nuevo\ en | nota: | consejo: | advertencia: | ejemplo: | copyright
    | todos\ los\ derechos | licencia: | autor(?:es)?: | traducid[oa]\ por""",
    "fr": r"""renvoie | retourne | lève | obsolète | nouveau\ dans | note\ ?: | astuce\ ?: | attention\ ?: | exemple\ ?:
    | copyright | tous\ droits | licence\ ?: | auteurs?\ ?: | traduit\ par""",
    "ja": r"""注意：|注：|例：|バージョン|著作権|訳注|非推奨|目次|索引|警告：|ヒント：""",
    "zh": r"""注意：|注：|例：|示例：|版权|许可|目录|索引|提示：|警告：|版本\s*\d""",
}

ENTRY_VERB = re.compile(
    r"(?:return|raise|create|construct|schedule|wait|run|get|set|test|check|convert|call|add|remove|close|open|register"
    r"|unregister|"
    r"start|stop|cancel|block|send|receive|read|write|print|load|execute|initiali[sz]e|compute|determine|find|search|insert"
    r"|delete|"
    r"copy|compare|perform|acquire|release|shut|submit|attach|detach|enable|disable|parse|format|encode|decode|append|apply|"
    r"indicate|mark|put|pop|push|make|build|show|display|list|specify|define|allow|accept|join|split|replace|restore|save"
    r"|update|"
    r"change|clear|reset|handle|ignore|install|invoke|iterate|lock|unlock|move|obtain|provide|query|rename|report|resolve"
    r"|retrieve|"
    r"select|serve|sort|store|switch|terminate|kill|transfer|translate|validate|verify|wrap|yield|duplicate|dump|protect|follow|do"
    r"|choose|generate|emit|flush|log|rotate|override|specif\w+|declare|process|provide|give|hash|map|reduce|count|decrement|increment"
    r"|use this|same|like|abstract|concrete)\b",
    re.IGNORECASE,
)

_FLAGS = re.IGNORECASE | re.VERBOSE


def _latin(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"[\"'“„«‘(\[]*(?:{pattern})(?!\w)", _FLAGS)


DANGLING: dict[str, re.Pattern[str]] = {
    "en": _latin(_DANGLING_EN),
    "de": _latin(_DANGLING_DE),
    "es": _latin(_DANGLING_ES),
    "fr": _latin(_DANGLING_FR),
    "ja": re.compile(rf"[「『（]*(?:{_DANGLING_JA})"),
    "zh": re.compile(rf"[“「（]*(?:{_DANGLING_ZH})"),
}
POINTER: dict[str, re.Pattern[str]] = {code: re.compile(pattern, _FLAGS) for code, pattern in _POINTER.items()}
FRAGMENT: dict[str, re.Pattern[str]] = {
    code: re.compile(pattern, _FLAGS) if code in ("ja", "zh") else _latin(pattern) for code, pattern in _FRAGMENT.items()
}
