"""Abbreviations whose point does not end a sentence, per language, lower case and without their last point.

Two classes: those that always want a word after them ("Dr.", "Fig.", "z. B."), and those that may stand at the end of a
sentence ("etc.", "usw."), where the next word decides.
"""

from __future__ import annotations

_COMMON = """
e.g i.e eg ie cf al vs viz resp approx ca c fig figs no nos vol vols pp p eq eqs sec ch chap ed eds rev ver v dr mr mrs ms prof
st jr sr gen col lt sgt capt rep sen gov pres mt ft dept est tel ext art par ref refs tab app op cit ibid jan feb mar apr jun
jul aug sept sep oct nov dec mon tue wed thu fri max min avg incl excl a.k.a w.r.t esp
"""

_DE = """
z.b d.h u.a u.ä u.u o.ä o.g s.o s.u i.d.r i.a z.t z.zt m.e v.a v.chr n.chr bspw bzw ca evtl ggf gem hrsg inkl exkl kap lt max
min mind nr nrn sog str tab tel vgl vs zzgl abs abschn anm art aufl bd bde dr dipl ing etc ff frl hl jh jhd mio mrd mr mrs
prof s st u z d i o v b a allg bes betr ehem einschl entspr entw geb gest jan feb mär apr jun jul aug sep sept okt nov dez fig
abb
"""

_ES = """
p.ej ej ee uu ee.uu sr sra srta sres dr dra d dña ud uds vd vds pág págs núm núms n.º nro art arts cap caps col cía depto ed etc
fig figs gral ing lic prof profa aprox av avda tel teléf vol vols vs a.c d.c máx mín
"""

_FR = """
p.ex ex c.-à-d cf chap coll dr éd env etc fig figs ibid m mm mme mmes mlle mlles mgr n no nos p pp par av apr j.-c s st ste
t tél trad v vol vols art
"""

_ITPTNL = """
es ecc pag pagg sig sigg sig.ra dott prof ing avv cap art fig n nr p pp ad.es bijv d.w.z enz o.a m.b.t i.p.v t.o.v blz dhr mevr
mw ir drs dr exa sr sra srs núm pág págs cap art fig vol
"""

ALWAYS: dict[str, frozenset[str]] = {
    "en": frozenset(_COMMON.split()),
    "de": frozenset((_COMMON + _DE).split()) - {"mon", "st", "mar", "min", "app", "est", "gen", "art"},
    "es": frozenset((_COMMON + _ES).split()) - {"mar", "al", "no"},
    "fr": frozenset((_COMMON + _FR).split()) - {"est", "mar"},
    "": frozenset((_COMMON + _ITPTNL).split()),
}

# May end a sentence; then the next word is one that begins sentences.
_MAYBE = """
etc al usw usf u.a o.ä ff ecc enz inc ltd co corp bros gmbh ag a.m p.m u.s u.s.a u.k u.n d.c a.d b.c ph.d m.d ee.uu uu
jr sr jan feb sept sep oct nov dec v.chr n.chr a.c d.c no
"""
MAYBE: frozenset[str] = frozenset(_MAYBE.split())


def always(language: str) -> frozenset[str]:
    """The words that want another word after their point."""
    return ALWAYS.get(language, ALWAYS[""])
