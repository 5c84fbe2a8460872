"""E-mail addresses: what is one, how it is written, and whether its domain is a company's or anybody's."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

__all__ = ["Domain", "Email", "company_domain", "domain_of", "parsed_domain", "parsed_email"]

_LONGEST = 254
_LONGEST_LOCAL = 64
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_RULE = "must be an e-mail address such as jane.doe@example.com"

_WORLDWIDE = re.compile(
    r"(gmail|googlemail|yahoo|ymail|rocketmail|hotmail|outlook|live|msn|windowslive|aol|aim|gmx|icloud|yandex|zoho|"
    r"protonmail|proton|tutanota|fastmail|hushmail|mail|email|inbox|rediffmail|zohomail)\.((com?|net|org)\.)?[a-z]{2,3}"
)
"""Providers that have their name in many countries: `yahoo.co.uk`, `gmx.de`, `hotmail.com.br`."""
_FREE = frozenset(
    """
    163.com 126.com yeah.net qq.com foxmail.com sina.com sina.cn sohu.com 139.com 189.cn 21cn.com tom.com aliyun.com
    me.com mac.com pm.me proton.me tuta.com tuta.io tutamail.com keemail.me hey.com duck.com passmail.net fastmail.fm
    web.de freenet.de t-online.de arcor.de online.de vodafone.de mailbox.org posteo.de posteo.net kabelmail.de
    bluewin.ch hispeed.ch sunrise.ch aon.at chello.at a1.net
    orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr bbox.fr numericable.fr club-internet.fr
    libero.it virgilio.it tiscali.it alice.it tin.it tim.it fastwebnet.it poste.it
    telefonica.net terra.es ono.com sapo.pt netcabo.pt iol.pt
    ziggo.nl kpnmail.nl planet.nl home.nl hetnet.nl xs4all.nl casema.nl telenet.be skynet.be proximus.be
    btinternet.com sky.com talktalk.net virginmedia.com ntlworld.com blueyonder.co.uk tiscali.co.uk o2.co.uk eircom.net
    wp.pl o2.pl onet.pl onet.eu interia.pl op.pl gazeta.pl tlen.pl poczta.onet.pl
    seznam.cz centrum.cz post.cz volny.cz azet.sk zoznam.sk centrum.sk freemail.hu citromail.hu indamail.hu abv.bg
    mail.ru bk.ru list.ru inbox.ru internet.ru rambler.ru ya.ru ukr.net i.ua meta.ua tut.by
    telia.com spray.se bredband.net online.no start.no broadpark.no jubii.dk mail.dk luukku.com suomi24.fi elisanet.fi
    otenet.gr forthnet.gr mynet.com superonline.com walla.co.il walla.com 012.net.il
    comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com netzero.net
    optonline.net frontier.com windstream.net roadrunner.com rr.com mindspring.com prodigy.net excite.com lycos.com
    usa.com usa.net myself.com consultant.com engineer.com iname.com mailinator.com guerrillamail.com yopmail.com
    rogers.com shaw.ca sympatico.ca telus.net videotron.ca bell.net
    bol.com.br uol.com.br terra.com.br ig.com.br globo.com r7.com prodigy.net.mx
    bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au xtra.co.nz
    naver.com daum.net hanmail.net nate.com kakao.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com ocn.ne.jp
    sify.com indiatimes.com in.com rediff.com hinet.net pchome.com.tw seed.net.tw netvigator.com singnet.com.sg
    webmail.co.za mweb.co.za telkomsa.net vodamail.co.za simplelogin.com privaterelay.appleid.com
    """.split()  # noqa: SIM905 - words that people add to
)
"""Others where anybody may have an address."""


def parsed_email(text: str) -> str:
    """The address in lower case, its domain as people read it. `ValueError` says what is wrong."""
    address = unicodedata.normalize("NFC", text.strip())
    local, at, domain = address.rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL or not _LOCAL.fullmatch(local):
        raise ValueError(_RULE)
    address = f"{local.lower()}@{parsed_domain(domain, _RULE)}"
    if len(address) > _LONGEST:
        msg = f"{_RULE}, at most {_LONGEST} characters"
        raise ValueError(msg)
    return address


def parsed_domain(text: str, rule: str = "must be a domain such as example.com") -> str:
    """The domain in lower case, as people read it. `ValueError` states the `rule`."""
    domain = ascii_form = text.strip().lower()
    if len(domain) >= _LONGEST:
        raise ValueError(rule)
    if not domain.isascii() or "xn--" in domain:
        import idna  # noqa: PLC0415 - few domains need its tables

        try:
            ascii_form = idna.encode(domain, uts46=True).decode()
            domain = idna.decode(ascii_form)
        except UnicodeError as error:
            raise ValueError(rule) from error
    labels = ascii_form.split(".")
    short_enough = len(labels) > 1 and max(len(domain), len(ascii_form)) < _LONGEST
    if not short_enough or labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(rule)
    return domain


def domain_of(email: str) -> str:
    """What comes after the @."""
    return email.rpartition("@")[2]


def company_domain(email: str) -> str | None:
    """The domain of an address, or None where anybody can have one."""
    domain = domain_of(email)
    return None if domain in _FREE or _WORLDWIDE.fullmatch(domain) else domain


Email = Annotated[str, AfterValidator(parsed_email), WithJsonSchema({"type": "string", "format": "email"})]
"""An e-mail address, in lower case."""

Domain = Annotated[str, AfterValidator(parsed_domain), WithJsonSchema({"type": "string", "maxLength": _LONGEST - 1})]
"""The domain of a company, in lower case."""
