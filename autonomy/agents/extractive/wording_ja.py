"""The player's own words in Japanese; see `phrases` for what the forms and placeholders mean."""

from __future__ import annotations

from autonomy.agents.extractive.phrases import Wording

JAPANESE = Wording(
    quotes=("「", "」"),
    joint="、",
    thousands=",",
    numerals=(),
    kinds={
        "text/html": "ウェブページ",
        "application/pdf": "PDF文書",
        "text/markdown": "Markdown文書",
        "text/plain": "テキスト",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word文書",
        "": "文書",
    },
    section_claim="{heading}についての引用{count}件（資料{sources}件）",
    opens_one=(
        "ここでは{title}を引く。",
        "ここでの引用は{title}による。",
    ),
    opens_many=(
        "ここでの引用は{titles}による。",
        "この点については{digits}件の資料を引く：{titles}。",
    ),
    plain=("そこにはこうある：", "次の文がある：", "こう書かれている："),
    new_source=(
        "{title}の{section}にはこうある：",
        "{section}の項で、{title}はこう述べる：",
        "{title}（{section}）によれば：",
        "{title}は{section}でこう書いている：",
        "{title}の{section}から：",
    ),
    new_source_bare=("{title}にはこうある：", "{title}はこう述べる：", "{title}によれば：", "{title}から："),
    other_section=("同じ資料の{section}には：", "{section}の項にはこうある：", "{section}では："),
    same_section=(
        "そこにはまた：",
        "同じ項には：",
        "また同じ箇所に：",
        "さらに：",
    ),
    same_source=(
        "同じ文書にはまた：",
        "同じ資料には：",
        "さらに：",
        "また：",
    ),
    differ=("この点で{titles}は数字または否定が異なる。両方を引いた。", "{titles}は数字または否定が一致しない。"),
    annotation=(
        "{title}は約{words}語の{kind}で、見出しには{headings}がある。",
        "約{words}語の{kind}で、見出しには{headings}がある。",
    ),
    annotation_bare=("{title}は約{words}語の{kind}である。",),
    annotation_nearest=("ここから引いた中で問いに最も近いと評価したのは{claim}である。",),
    annotation_more=("この資料を引く主張は上に{digits}件ある：{claims}。",),
    annotation_only="引用は上の主張の中に原文のまま、その場所とともにある。残りは、探した問いでは見つからなかったか、選ばれなかった。",
    annotation_answers=("引用が触れる問いは{asked}件のうち{digits}件である。",),
    annotation_limit=("次の問いへの引用はなかった：{question}",),
    shared=("この点は{digits}件の資料が述べている：{titles}。", "同じ点が{titles}にある。"),
    shared_differ=("{titles}は同じ事柄を述べるが、数字または否定が異なる。",),
    question_topic="問い{question}",
    synthesis_one=(
        "{topic}については、ここでは{title}を引く。",
        "{topic}についてのここでの引用は{title}による。",
    ),
    synthesis_many=(
        "{topic}については{digits}件の資料を引く：{titles}。",
        "{topic}についての箇所は{titles}にある。",
    ),
    introduction=(
        "この文書は、{goal}について{digits}件の資料を引く。引用の間の文も含め、言語モデルを使わず規則によって組み立てた。",
    ),
    introduction_one=(
        "この文書は、{goal}について一つの資料を引く。引用の間の文も含め、言語モデルを使わず規則によって組み立てた。",
    ),
    introduction_points=("求められた点：{points}。",),
    introduction_sections=("構成：{headings}。",),
    conclusion=("{goal}について、上に{sources}件の資料から{digits}件の箇所を引いた。多くは{titles}による。",),
    conclusion_one=("{goal}について上に引いた箇所（{digits}件）は{titles}による。",),
    conclusion_gaps=("引用が見つからなかった問い：{gaps}。",),
    conclusion_little=("資料のどの箇所も半分を満たさない問い：{gaps}。",),
    conclusion_little_one=("資料のどの箇所も、この問いの半分を満たさない：{gaps}。",),
    dropped="裏づける箇所がないため、一文を省いた。",
    and_more="ほか{count}件",
)
