"""Yes and no. A yes changes an order, so it is one only when every word of the message is known to agree; all else is asked again."""

from __future__ import annotations

import re
from collections.abc import Iterable

_THING = (
    r"(?:it|that|this|so|them|those|these|both|all(?: of (?:it|them|that))?|everything|(?:the|my|this|that)(?: (?:whole|entire|new|right|correct))?"
    r"(?: (?:order|items?|changes?|address|payment(?: method)?|refund|exchange|return|cancell?ation|update|request|one))+)"
)
_DO = r"(?:do|cancel|return|exchange|swap|change|update|modify|replace|switch|ship|send|process|submit|make|place|finali[sz]e|complete|proceed|confirm|refund)"
_ASSENT = "|".join(
    (
        r"y+e+s+|y+e+a+h*|yep+|yup+|ya|aye|y|yes sir|yes ma'?am|sure(?: thing)?|surely|o+k+(?:ay|ey|ie)?|k|al+ ?right(?:y)?|absolutely|definitely|certainly|of course|by all means",
        r"correct|right|exactly|precisely|affirmative|agreed?|i (?:do )?(?:agree|confirm|approve|accept|consent)|confirm(?:ed)?|accepted|approved|perfect|great|good|fine|no problem",
        r"(?:that|this|it|everything|all)(?: all)?(?:'?s| is| looks| sounds| seems)?(?: all)? (?:correct|right|fine|good|great|ok(?:ay)?|perfect|it|lovely|the (?:right |correct )?(?:one|address|card|item|order)|works?(?: for me)?)",
        r"(?:that|this|it)(?:'?s| is) (?:my|the)(?: (?:new|right|correct|current))? (?:address|order|card|item|name|account)|all (?:correct|good|right)",
        r"(?:looks|sounds|seems) (?:correct|right|fine|good|great|ok(?:ay)?|perfect)(?: to me)?|works for me|fine (?:by|with) me",
        rf"(?:you (?:can|may|could) |let'?s |just )?(?:please )?(?:go (?:right )?ahead|proceed|{_DO} {_THING}|{_DO} so)(?: (?:and|to|with))?(?: (?:please )?{_DO})?(?: {_THING})?(?: (?:now|right (?:now|away)|straight away|at once))?",
        r"please (?:do|go on|continue|proceed)|i (?:do )?want (?:that|this|it)|i(?:'d| would) like (?:that|this|to(?: (?:proceed|continue|go ahead|do (?:it|that|this)))?)|i(?:'m| am) (?:sure|ok with (?:that|it)|fine with (?:that|it)|happy with (?:that|it))",
        r"make it so|that'?s what i (?:want|meant)|why not",
    )
)
_COURTESY = "|".join(
    (
        r"please|pls|plz|thanks?(?: you)?(?: (?:so|very) much| a lot| again| kindly)?(?: for (?:your|the|all your) help| for helping)?|many thanks|thx|ty|cheers|much appreciated|i appreciate (?:it|that|your help)",
        r"that(?:'?s| is| would be|'?d be) (?:great|lovely|nice|fine|perfect|good|wonderful|awesome|all|everything)|lovely|nice|wonderful|awesome|cool|brilliant|excellent|super|then|oh|ah|well|hi|hey|and|i|dear|for me|kindly|if you (?:would|could|can)",
    )
)
_YES = re.compile(
    rf"(?:(?:{_COURTESY}) )*(?:{_ASSENT})(?: (?:{_ASSENT}|{_COURTESY}|cancel|return|exchange|refund))*", re.IGNORECASE
)
_THUMB = re.compile("[\U0001f44d\U0001f44c✅✔][\U0001f3fb-\U0001f3ff\ufe0f]?")
_FACE = re.compile(r"[\U0001f300-\U0001faff☀-➿\ufe0f]|(?<!\w)[:;]-?[)D]")
_OPENS = r"^\W*(?:(?:please|of course|absolutely|definitely|certainly|ok(?:ay)?|great|good|sorry|well|oh|ah|um+|hm+|actually|thanks?(?: you)?|yes|yeah|sure|i said)\b\W*)*"
_NO = re.compile(
    rf"(?i){_OPENS}(?:no|nope|nah|not?\b(?: yet| now)?(?! (?:sure|certain|really sure|so sure|entirely sure|quite sure))|don'?t|do not|stop|wait|hold on|never ?mind|leave it|forget it|cancel that|rather not|i changed my mind|i don'?t(?! know))\b"
)
_DROP = re.compile(
    r"(?i)\b(?:never ?mind|forget (?:it|about (?:it|that|this))|leave (?:it|that|everything)|drop (?:it|that)|(?:don'?t|do not) (?:do|change|cancel|return|exchange|proceed|process|go ahead)|keep (?:it|the order|everything)|no (?:change|cancell?ation|return|exchange)s?(?: at all)?|changed my mind|as it is|skip (?:it|this|that))\b"
)
_FILLS = r"(?: (?:of|to|for|with|on|my|the|number|no|order|address|from|at|because|since|it is|it'?s|the reason is|that is|it to))*"


def says_yes(text: str, about: Iterable[str] = ()) -> bool:
    """Whether a message agrees and says nothing else; `about` are words of what is proposed, which it may repeat."""
    if "?" in text:
        return False
    said = _FACE.sub(" ", _THUMB.sub(" yes ", text.replace("’", "'")))
    said = " ".join(re.sub(r"[^\w'#]+", " ", said).split())
    for phrase in sorted({" ".join(re.sub(r"[^\w'#]+", " ", one).split()) for one in about if one}, key=len)[::-1]:
        said = re.sub(rf"(?i){_FILLS} {re.escape(phrase)}(?!\w)", " \0", said)
    forms = (re.sub("(?: \0)+", form, said) for form in ("", " it"))  # "yes, cancel A100001", "yes, 12 Oak Street"
    return said.lower() != "yeah right" and any(_YES.fullmatch(form) for form in forms)


def says_no(text: str) -> bool:
    """Whether a message declines; what follows may say what is wanted instead."""
    text = text.replace("’", "'")
    return bool(_NO.search(text) or _DROP.search(text)) and not re.search(r"(?i)^\W*no problem", text)


def drops(text: str) -> bool:
    """Whether a message gives up what is going on."""
    return bool(_DROP.search(text.replace("’", "'")))
