"""The player's own words in Chinese; see `phrases` for what the forms and placeholders mean."""

from __future__ import annotations

from autonomy.agents.extractive.phrases import Wording

CHINESE = Wording(
    quotes=("“", "”"),
    joint="和",
    thousands=",",
    numerals=(),
    kinds={
        "text/html": "网页",
        "application/pdf": "PDF文档",
        "text/markdown": "Markdown文档",
        "text/plain": "文本文件",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word文档",
        "": "文档",
    },
    section_claim="关于{heading}的{count}条引文（{sources}个来源）",
    opens_one=(
        "这里引用{title}。",
        "这一部分的引文出自{title}。",
    ),
    opens_many=(
        "这一部分的引文出自{titles}。",
        "关于这一点，引用{digits}个来源：{titles}。",
    ),
    plain=("其中写道：", "原文是：", "其中说："),
    new_source=(
        "{title}在{section}中写道：",
        "在{section}一节，{title}这样说：",
        "据{title}（{section}）：",
        "{title}的{section}一节写道：",
        "出自{title}的{section}：",
    ),
    new_source_bare=("{title}写道：", "{title}这样说：", "据{title}：", "出自{title}："),
    other_section=("在{section}中写道：", "{section}一节写道：", "同一文档的{section}中："),
    same_section=(
        "其中又写道：",
        "同一节还写道：",
        "同处又说：",
        "又写道：",
    ),
    same_source=(
        "其中又写道：",
        "同一文档还写道：",
        "又写道：",
        "另外写道：",
    ),
    differ=("在这一点上，{titles}在数字或否定上不一致，这里都予引用。", "{titles}在数字或否定上有出入。"),
    annotation=(
        "{title}是约{words}词的{kind}，标题中有{headings}。",
        "这一{kind}约{words}词，标题中有{headings}。",
    ),
    annotation_bare=("{title}是约{words}词的{kind}。",),
    annotation_nearest=("在引自它的段落中，{claim}被评为与问题最接近。",),
    annotation_more=("上文有{digits}条主张引用它：{claims}。",),
    annotation_only="引自它的文字原样列在上文各条主张中，并注明出处；其余部分未被所提问题检索到，或未被选用。",
    annotation_answers=("在{asked}个问题中，它的引文涉及{digits}个。",),
    annotation_limit=("对这个问题它没有可引之处：{question}",),
    shared=("有{digits}个来源持此说：{titles}。", "同一点见于{titles}。"),
    shared_differ=("{titles}谈的是同一件事，但数字或否定不同。",),
    question_topic="问题{question}",
    synthesis_one=(
        "关于{topic}，这里引用{title}。",
        "关于{topic}，这里的引文出自{title}。",
    ),
    synthesis_many=(
        "关于{topic}，引用{digits}个来源：{titles}。",
        "关于{topic}，{titles}中有相应的段落。",
    ),
    introduction=("本文引用{digits}个来源论述{goal}。全文包括引文之间的句子，均按规则组成，未使用语言模型。",),
    introduction_one=("本文引用一个来源论述{goal}。全文包括引文之间的句子，均按规则组成，未使用语言模型。",),
    introduction_points=("要求涉及的要点：{points}。",),
    introduction_sections=("各部分依次为：{headings}。",),
    conclusion=("关于{goal}，上文从{sources}个来源引用了{digits}段，大多出自{titles}。",),
    conclusion_one=("上文关于{goal}的引文（{digits}段）出自{titles}。",),
    conclusion_gaps=("未找到引文的问题：{gaps}。",),
    conclusion_little=("来源中没有任何段落涵盖其一半的问题：{gaps}。",),
    conclusion_little_one=("来源中没有任何段落涵盖这个问题的一半：{gaps}。",),
    dropped="因没有原文支持，略去一句。",
    and_more="等另外{count}个",
)
