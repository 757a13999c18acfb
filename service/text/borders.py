"""Which characters stand around words, marks and addresses."""

from unicodedata import category, normalize

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
# What reads as a letter or digit of ASCII, or begins as one does: wide, mathematical, in circles and squares.
# Dark circles and squares come apart by no normalisation.
LIKE_ASCII = "\U0001f150-\U0001f189" + "".join(
    char
    for char in map(chr, (*range(0x80, 0x3400), *range(0xFF00, 0x10000), *range(0x1D400, 0x1F200)))
    if (plain := normalize("NFKC", char)[0]).isascii() and plain.isalnum()
)
del _KINDS, _char
