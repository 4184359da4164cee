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
    opens_one=("论及这一点的只有一个来源：{title}。", "关于这一点，只有{title}有所论述。", "这一部分的引文全部出自{title}。"),
    opens_many=(
        "有{digits}个来源论及这一点：{titles}。",
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
    same_section=("接着写道：", "同一节还写道：", "同处又说：", "又写道："),
    same_source=("接着写道：", "同一文档还写道：", "又写道：", "另外写道："),
    differ=("在这一点上，{titles}在数字或否定上不一致，这里都予引用。", "{titles}在数字或否定上有出入。"),
    annotation=("{title}是约{words}词的{kind}，主要部分有{headings}。", "这一{kind}约{words}词，涉及{headings}。"),
    annotation_bare=("{title}是约{words}词的{kind}。",),
    annotation_nearest=(
        "最接近问题的是{claim}。",
        "与所问最相近的是{claim}。",
    ),
    annotation_more=(
        "上文共引用其中{digits}段：{claims}。",
        "其中有{digits}段引用于上文：{claims}。",
    ),
    annotation_only="其中再没有既回答问题又能单独引用的句子。",
    annotation_found=("换一种问法才找到它：{question}",),
    annotation_answers=("在{asked}个问题中，它对{digits}个提供了引文。",),
    annotation_limit=("对这个问题它没有可引之处：{question}",),
    annotation_full=("它对每个问题都提供了引文。",),
    shared=("有{digits}个来源持此说：{titles}。", "同一点见于{titles}。"),
    shared_differ=("{titles}谈的是同一件事，但数字或否定不同。",),
    question_topic="问题{question}",
    synthesis_one=(
        "关于{topic}，只有{title}有所论述。",
        "关于{topic}，所得全部出自{title}。",
    ),
    synthesis_many=(
        "关于{topic}，引用{digits}个来源：{titles}。",
        "关于{topic}，{titles}中有相应的段落。",
    ),
    introduction=(
        "本文汇集了{digits}个来源关于{goal}的论述。全文按规则由引文组成，未使用语言模型：凡涉及内容的陈述都是注明出处的引文。",
    ),
    introduction_one=("本文汇集了一个来源关于{goal}的论述。全文按规则由引文组成，未使用语言模型。",),
    introduction_points=("要求涉及的要点：{points}。",),
    introduction_sections=("各部分依次为：{headings}。",),
    conclusion=("关于{goal}，从{sources}个来源选取了{digits}段，大多出自{titles}。",),
    conclusion_one=("关于{goal}，选取的{digits}段全部出自{titles}。",),
    conclusion_gaps=("查找过但未找到更多原文的问题：{gaps}。",),
    conclusion_little=("来源只部分回答的问题：{gaps}。",),
    conclusion_none=("向来源提出的每个问题都至少找到一段原文。",),
    dropped="因没有原文支持，略去一句。",
    and_more="等另外{count}个",
)
