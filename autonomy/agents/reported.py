"""What a document says of its similarity reports, in its own language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reported:
    """One language's forms; percentages come with their sign."""

    above: str
    unreported: str
    unchanged: str
    unmarked: str
    doubtful: str
    revised: str
    heading: str
    line: str
    no_report: str


_FORMS = {
    "en": Reported(
        above="The similarity report found {observed} where at most {target} was wanted; this is the nearest of {n} drafts.",
        unreported="No similarity report came for this draft; at most {target} was wanted, and nobody has measured it.",
        unchanged="What the similarity report flags was left as it is: each change would have cost another gate.",
        unmarked="The similarity report marks no statement of this text, so nothing was revised.",
        doubtful="Similarity report {n} may be about another text: {why}.",
        revised="Flagged by similarity report {n} and quoted or said anew, replaced or left out: {count}.",
        heading="Similarity",
        line="Draft {n}: {observed} similar to other texts by the report; at most {target} was wanted.",
        no_report="Draft {n}: no report came; at most {target} was wanted.",
    ),
    "de": Reported(
        above="Der Ähnlichkeitsbericht fand {observed}, gewünscht waren höchstens {target}: der beste von {n} Entwürfen.",
        unreported="Zu diesem Entwurf kam kein Ähnlichkeitsbericht; höchstens {target} waren gewünscht, gemessen ist es nicht.",
        unchanged="Was der Ähnlichkeitsbericht nennt, blieb stehen: jede Änderung hätte eine andere Anforderung verletzt.",
        unmarked="Der Ähnlichkeitsbericht nennt keine Aussage dieses Textes, also wurde nichts geändert.",
        doubtful="Der Ähnlichkeitsbericht {n} gehört vielleicht zu einem anderen Text.",
        revised="Im Ähnlichkeitsbericht {n} genannt und neu zitiert oder gesagt, ersetzt oder weggelassen: {count}.",
        heading="Ähnlichkeit",
        line="Entwurf {n}: laut Bericht zu {observed} anderen Texten ähnlich; gewünscht waren höchstens {target}.",
        no_report="Entwurf {n}: kein Bericht; gewünscht waren höchstens {target}.",
    ),
    "es": Reported(
        above="El informe de similitud halló {observed}; se pedía como máximo {target}. Este es el mejor de {n} borradores.",
        unreported="No llegó informe de similitud para este borrador; se pedía como máximo {target} y nadie lo ha medido.",
        unchanged="Lo que señala el informe de similitud quedó como estaba: cada cambio habría incumplido otro requisito.",
        unmarked="El informe de similitud no señala ninguna afirmación de este texto; no se cambió nada.",
        doubtful="El informe de similitud {n} puede ser de otro texto.",
        revised="Señaladas por el informe de similitud {n} y citadas o dichas de nuevo, sustituidas u omitidas: {count}.",
        heading="Similitud",
        line="Borrador {n}: según el informe, {observed} similar a otros textos; se pedía como máximo {target}.",
        no_report="Borrador {n}: sin informe; se pedía como máximo {target}.",
    ),
    "fr": Reported(
        above="Le rapport de similarité a trouvé {observed} ; au plus {target} était demandé : la meilleure de {n} versions.",
        unreported="Aucun rapport de similarité n'est arrivé pour cette version ; au plus {target} était demandé, sans mesure.",
        unchanged="Ce que signale le rapport de similarité est resté : chaque changement manquerait une autre exigence.",
        unmarked="Le rapport de similarité ne signale aucune affirmation de ce texte ; rien n'a été changé.",
        doubtful="Le rapport de similarité {n} concerne peut-être un autre texte.",
        revised="Signalés par le rapport de similarité {n} et cités ou dits autrement, remplacés ou retirés : {count}.",
        heading="Similarité",
        line="Version {n} : selon le rapport, {observed} de similarité avec d'autres textes ; au plus {target} était demandé.",
        no_report="Version {n} : aucun rapport ; au plus {target} était demandé.",
    ),
    "ja": Reported(
        above="類似度レポートの値は{observed}で、目標は{target}以下でした。{n}つの草稿のうち最も近いものです。",
        unreported="この草稿の類似度レポートは届きませんでした。目標は{target}以下で、測定はされていません。",
        unchanged="類似度レポートが指摘した箇所はそのままです。変更すると別の基準を満たさなくなるためです。",
        unmarked="類似度レポートはこの文章の記述を指摘していないため、変更していません。",
        doubtful="類似度レポート{n}は別の文章のものかもしれません。",
        revised="類似度レポート{n}で指摘された{count}箇所を、引用し直すか、書き直すか、差し替えるか、削除しました。",
        heading="類似度",
        line="草稿{n}：レポートによる類似度は{observed}、目標は{target}以下。",
        no_report="草稿{n}：レポートなし、目標は{target}以下。",
    ),
    "zh": Reported(
        above="相似度报告的结果为 {observed}，目标为不超过 {target}；这是 {n} 份草稿中最接近的一份。",
        unreported="这份草稿没有收到相似度报告；目标为不超过 {target}，尚未测量。",
        unchanged="相似度报告所标出的内容保持不变：任何修改都会使其他要求无法满足。",
        unmarked="相似度报告没有标出本文的任何陈述，因此未作修改。",
        doubtful="相似度报告 {n} 可能属于另一篇文章。",
        revised="根据相似度报告 {n}，{count} 处被标出的陈述已重新引用、改写、替换或删除。",
        heading="相似度",
        line="草稿 {n}：报告显示相似度为 {observed}，目标不超过 {target}。",
        no_report="草稿 {n}：没有报告，目标不超过 {target}。",
    ),
}


def reported(language: str | None) -> Reported:
    """The forms of a language, English for one that has none."""
    return _FORMS.get((language or "en")[:2], _FORMS["en"])
