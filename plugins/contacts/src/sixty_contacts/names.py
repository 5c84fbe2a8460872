"""The names of companies: what two spellings of one have in common."""

from __future__ import annotations

from sixty.search import fold

__all__ = ["beginning", "name_key"]

_LONGEST = 255
_LEGAL_FORMS = frozenset(
    """
    ab ag aktiengesellschaft aps as asa bhd bv bvba co company corp corporation cv cyf doo dd eg ehf ek eood eirl ev
    gbr gesellschaft gie gmbh hf inc incorporated kft kg kgaa kk llc llp lp ltd ltda limited limitada mbh nv
    ood ohg ooo oy oyj plc pllc pte pt pty pvt private rt sa sae sarl sas sasu sca scs sdn se sia sl slu sp snc spa spol
    spj spk spzoo sprl srl sro tov ug uab vof zrt zoo
    """.split()  # noqa: SIM905 - words that people add to
)
"""What follows a name and is no part of it, in the spelling that `name_key` gives it."""
_JOINING = frozenset(("and", "und", "et", "y", "e", "en", "og", "och"))


def name_key(name: str) -> str:
    """The name without case, accents, punctuation and legal form: alike for `Müller & Söhne GmbH` and `muller sohne`.

    A name that has nothing else in it, such as `AG` or an emoji, is its own key.
    """
    words = _joined(fold(name).split())
    kept = [word for word in words if word not in _JOINING] or words
    while len(kept) > 1 and kept[-1] in _LEGAL_FORMS:
        kept.pop()
    return (" ".join(kept) or " ".join(name.casefold().split()))[:_LONGEST].strip()


def beginning(name: str) -> str:
    """The pattern, with `/` to escape by, of the keys of names that begin with this one."""
    key = name_key(name)
    for special in "/%_":
        key = key.replace(special, f"/{special}")
    return f"{key}%"


def _joined(words: list[str]) -> list[str]:
    """The words, with letters that stand alone put together: `s a` is `sa`, as in `S.A.`."""
    joined: list[str] = []
    alone = False
    for word in words:
        if len(word) == 1 and alone:
            joined[-1] += word
        else:
            joined.append(word)
        alone = len(word) == 1
    return joined
