"""Which characters stand around words, marks and addresses."""

from unicodedata import category

_KINDS: dict[str, set[str]] = {}
# Where punctuation in pairs and dashes lie.
for _char in map(chr, (*range(0x21, 0x3100), *range(0xFD00, 0x10000))):
    _KINDS.setdefault(category(_char), set()).add(_char)
_QUOTES = {*"\"'", *_KINDS["Pi"], *_KINDS["Pf"]}
OPENING, CLOSING = _QUOTES | _KINDS["Ps"], _QUOTES | _KINDS["Pe"]
# Sentences end by them: of Latin, Chinese, Arabic, Hindi, Armenian, Ethiopic, Burmese and Khmer.
SENTENCE_MARKS = {*".,;:!?…。、，．；：！？｡､؟،؛۔।॥։՜՞՝።፣፤፥፦፧၊။។៕"}
# What may stand outside a mark: before the one that opens, behind the one that closes.
BEFORE = OPENING | _KINDS["Pd"]
AFTER = CLOSING | _KINDS["Pd"] | SENTENCE_MARKS
# Scripts without blanks between words: Thai, Lao, Burmese, Khmer, Han and kana, and their punctuation.
WITHOUT_BLANKS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u31a0-\u9fff\uf900-\ufaff\uff00-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# It has blanks, but writes particles right behind a word.
HANGUL = "\uac00-\ud7a3"
del _KINDS, _char
