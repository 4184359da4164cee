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
        "この点を扱う資料は一つである：{title}。",
        "この点については{title}だけが述べている。",
        "ここでの引用はすべて{title}による。",
    ),
    opens_many=(
        "この点を扱う資料は{digits}件ある：{titles}。",
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
    same_section=("続けて：", "同じ項には：", "また同じ箇所に：", "さらに："),
    same_source=("続けて：", "同じ資料には：", "さらに：", "また："),
    differ=("この点で{titles}は数字または否定が異なる。両方を引いた。", "{titles}は数字または否定が一致しない。"),
    annotation=("{title}は約{words}語の{kind}で、主な項目は{headings}である。", "約{words}語の{kind}で、{headings}を扱う。"),
    annotation_bare=("{title}は約{words}語の{kind}である。",),
    annotation_nearest=(
        "問いに最も近いのは{claim}である。",
        "求められたことに最も近いのは{claim}である。",
    ),
    annotation_more=(
        "この資料からは全部で{digits}件の箇所を上に引いた：{claims}。",
        "上に引いた箇所は{digits}件ある：{claims}。",
    ),
    annotation_only="ほかには、問いに答え、単独で引用できる文がなかった。",
    annotation_found=("言い換えた問いで初めて見つかった：{question}",),
    annotation_answers=("{asked}件の問いのうち{digits}件に引用があった。",),
    annotation_limit=("次の問いへの引用はなかった：{question}",),
    annotation_full=("すべての問いに引用があった。",),
    shared=("この点は{digits}件の資料が述べている：{titles}。", "同じ点が{titles}にある。"),
    shared_differ=("{titles}は同じ事柄を述べるが、数字または否定が異なる。",),
    question_topic="問い{question}",
    synthesis_one=(
        "{topic}について述べる資料は{title}だけである。",
        "{topic}について見つかったものはすべて{title}にある。",
    ),
    synthesis_many=(
        "{topic}については{digits}件の資料を引く：{titles}。",
        "{topic}についての箇所は{titles}にある。",
    ),
    introduction=(
        "この文書は、{goal}について{digits}件の資料が述べることをまとめたものである。言語モデルを使わず、規則によって引用から組み立てた。"
        "内容についての記述はすべて出典つきの引用である。",
    ),
    introduction_one=(
        "この文書は、{goal}について一つの資料が述べることをまとめたものである。言語モデルを使わず、規則によって引用から組み立てた。",
    ),
    introduction_points=("求められた点：{points}。",),
    introduction_sections=("構成：{headings}。",),
    conclusion=("{goal}について、{sources}件の資料から{digits}件の箇所を選んだ。多くは{titles}による。",),
    conclusion_one=("{goal}について選んだ{digits}件の箇所は、すべて{titles}による。",),
    conclusion_gaps=("探したが、上のほかに箇所が見つからなかった問い：{gaps}。",),
    conclusion_little=("資料が一部しか答えない問い：{gaps}。",),
    conclusion_none=("資料へのすべての問いに、少なくとも一つの箇所があった。",),
    dropped="裏づける箇所がないため、一文を省いた。",
    and_more="ほか{count}件",
)
