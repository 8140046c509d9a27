"""
Writes what transformers makes of conversations with chat templates of several kinds. The templates are our own, in the
forms that published models use.

    python test/golden/chat/generate.py
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import jinja2
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

HERE = Path(__file__).parent
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

TEMPLATES = {
    "chatml": """{% for message in messages %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}""",
    "default-system": """{%- if messages[0].role == 'system' -%}
    {%- set system = messages[0].content | trim -%}
    {%- set rest = messages[1:] -%}
{%- else -%}
    {%- set system = 'You help.' -%}
    {%- set rest = messages -%}
{%- endif -%}
{{ bos_token }}[SYS]{{ system }}[/SYS]
{%- for m in rest -%}
    {%- if loop.first and m.role != 'user' -%}{{ raise_exception('the first must be a user') }}{%- endif -%}
    {%- if m.role == 'user' %} [U] {{ m.content | trim }} [/U]
    {%- elif m.role == 'assistant' %} {{ m.content | trim }}{{ eos_token }}
    {%- else -%}{{ raise_exception('unknown role ' ~ m.role) }}
    {%- endif -%}
{%- endfor -%}""",
    "alternating": """{{ bos_token }}
{%- for message in messages -%}
  {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
    {{ raise_exception('roles must take turns') }}
  {%- endif -%}
  {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
  {{ '<start>' ~ role ~ '\\n' ~ message['content'] | trim ~ '<end>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start>model\\n' }}{%- endif -%}""",
    "tools": """{%- set ns = namespace(last=-1) -%}
{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}
{%- macro show(m) -%}<{{ m.role }}>{{ m.content if m.content is string else '' }}{%- endmacro -%}
{%- if tools is defined and tools -%}<tools>{% for t in tools %}{{ t | tojson }}{{ '\\n' if not loop.last }}{% endfor %}</tools>{%- endif -%}
{%- for m in messages -%}
{{ show(m) }}{% if loop.index0 == ns.last %}*{% endif %}
{%- if m.tool_calls is defined -%}{% for c in m.tool_calls %}[{{ c.function.name }}:{{ c.function.arguments | tojson }}]{% endfor %}{%- endif -%}
{%- endfor -%}
{{- '<assistant>' if add_generation_prompt else '' -}}""",
}

CHATS = {
    "one": {"messages": [{"role": "user", "content": "  Hello, wörld! \n"}]},
    "system": {"messages": [{"role": "system", "content": "Be brief.\n"}, {"role": "user", "content": "Why?"}]},
    "turns": {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c <|im_end|> 日本"},
        ]
    },
    "answered": {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    "odd": {"messages": [{"role": "critic", "content": "no"}]},
    "tools": {
        "messages": [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"function": {"name": "look", "arguments": {"city": "Köln", "days": 2}}}],
            },
            {"role": "tool", "content": "rain"},
        ],
        "tools": [{"type": "function", "function": {"name": "look", "description": "Looks <out>"}}],
    },
}


def render(template: str, chat: dict) -> dict:
    asks = chat["messages"][-1]["role"] != "assistant"
    try:
        texts, _ = render_jinja_template(
            [chat["messages"]],
            tools=chat.get("tools"),
            chat_template=template,
            add_generation_prompt=asks,
            **TOKENS,
        )
    except (jinja2.TemplateError, TypeError) as error:
        return {"error": str(error)}
    return {"text": texts[0]}


def main() -> None:
    cases = [
        {"template": template, "chat": chat, **render(TEMPLATES[template], CHATS[chat])}
        for template in TEMPLATES
        for chat in CHATS
    ]
    versions = {
        "python": platform.python_version(),
        "transformers": transformers.__version__,
        "jinja2": jinja2.__version__,
    }
    out = {"versions": versions, "tokens": TOKENS, "templates": TEMPLATES, "chats": CHATS, "cases": cases}
    (HERE / "golden.json").write_text(json.dumps(out, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
