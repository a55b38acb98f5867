"""When two spellings mean one company: pure functions on names, domains and tax ids.

Exact after normalising. `normal_name` takes away what does not tell companies apart: letter case,
accents, punctuation, full and half width, and the legal form at the end (or, where a language puts
it there, the start).
"""

import re
import unicodedata
from functools import lru_cache

MOST_KEY = 200

# Letters that Unicode does not take apart into a base and an accent.
_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['’‘`´ʼ′]")
_NOT_WORDS = re.compile(r"[\W_]+")
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_BETWEEN_CJK = re.compile(f"(?<=[{_CJK}]) (?=[{_CJK}])")
_HAS_CJK = re.compile(f"[{_CJK}]")

# As they read after everything else was normalised. Words of the name itself, such as "group",
# stay: they tell sister companies apart.
_FORM_WORDS = """
    ag gmbh ggmbh mbh kg kgaa ohg ug se ev eg ewiv aktiengesellschaft partg co company ltd
    limited llc llp lp plc pllc lllp inc incorporated corp corporation cic bv nv vof cv ba
    bvba sprl maatschappij sa sas sasu sarl sarlau eurl snc scs sca sci scop gie spa srl
    srls sapa scarl scpa slu sl sau sll scl sc coop lda ltda eireli mei epp unipessoal sgps
    as asa ans da nuf ab hb kb aktiebolag aps ks amba ivs oy oyj ky ay osk hf ehf doo dd
    jdoo ad ead ood eood kft zrt nyrt rt bt kkt sro spol vos zoo spzoo spk spj sia uab ou ao
    pao zao oao ooo tov pat prat jsc pjsc ojsc cjsc sti anonim sirketi pty pte sdn bhd tbk
    pvt private gk kk yk fze fzco fzc fzllc dmcc wll bsc saog saoc sae sapi sab ооо оао зао
    пао ао тов пат нпао ип αε επε ικε οε εε
    株式会社 有限会社 合同会社 合資会社 合名会社 주식회사 유한회사
"""
_FORMS = frozenset(_FORM_WORDS.split())
_LONG_FORMS = tuple(
    tuple(form.split())
    for form in (
        "gesellschaft mit beschrankter haftung",
        "besloten vennootschap",
        "naamloze vennootschap",
        "societe anonyme",
        "societe a responsabilite limitee",
        "societa per azioni",
        "societa a responsabilita limitata",
        "sociedad anonima",
        "sociedad limitada",
        "sociedad de responsabilidad limitada",
        "sociedade anonima",
        "sp zoo",
        "spolka zoo",
        "spolka akcyjna",
        "de rl",
        "de cv",
    )
)
# Words that only join the name to a form that is gone.
_JOINTS = frozenset({"and", "und", "et", "y", "e", "i", "og", "och"})
_LEADING_WORDS = """
    pt ooo oao zao pao ao tov ооо оао зао пао ао тов ип ab oy sia uab
"""
_LEADING = frozenset(_LEADING_WORDS.split())
# As in ㈱, which NFKC writes as three characters.
_BRACKETED = re.compile(r"\((?:株|有|資|合|주|유)\)")
_CJK_ENDS = (
    "股份有限公司",
    "有限责任公司",
    "有限責任公司",
    "有限公司",
    "股份公司",
    "株式会社",
    "有限会社",
    "合同会社",
    "주식회사",
    "유한회사",
)
_CJK_STARTS = ("株式会社", "有限会社", "合同会社", "주식회사", "유한회사")


def _plain(name: str) -> str:
    """Return lower-case words of letters and digits, accents and apostrophes gone."""
    text = unicodedata.normalize("NFKC", name).casefold().replace("&", " and ")
    text = _BRACKETED.sub(" ", text)
    text = unicodedata.normalize("NFKD", text)
    text = unicodedata.normalize("NFKC", _ACCENTS.sub("", text)).casefold().translate(_LETTERS)
    text = _NOT_WORDS.sub(" ", _APOSTROPHES.sub("", text)).strip()
    return _BETWEEN_CJK.sub("", text)


def _joined_letters(words: list[str]) -> list[str]:
    """Return `words` with runs of single Latin letters made one: b v → bv, s p a → spa."""
    found: list[str] = []
    run = ""
    for word in words:
        if len(word) == 1 and word.isalpha() and not _HAS_CJK.match(word):
            run += word
            continue
        if run:
            found.append(run)
            run = ""
        found.append(word)
    return [*found, run] if run else found


def _without_end(words: list[str]) -> list[str]:
    for form in _LONG_FORMS:
        if len(words) > len(form) and tuple(words[-len(form) :]) == form:
            return words[: -len(form)]
    if words[-1] in _FORMS or words[-1] in _JOINTS:
        return words[:-1]
    for end in _CJK_ENDS:
        if words[-1].endswith(end) and words[-1] != end:
            return [*words[:-1], words[-1].removesuffix(end)]
    return words


def _without_start(words: list[str]) -> list[str]:
    if words[0] in _LEADING:
        return words[1:]
    for start in _CJK_STARTS:
        if words[0].startswith(start) and words[0] != start:
            return [words[0].removeprefix(start), *words[1:]]
    return words


def _shorter(words: list[str]) -> list[str]:
    """Return `words` without one legal form at the end and one at the start, never empty."""
    words = _without_end(words) or words
    return _without_start(words) or words


@lru_cache(maxsize=20_000)
def normal_name(name: str) -> str:
    """Return the form of a company's name that is compared.

    Of at most 200 characters; normalising it again changes nothing. Empty only for a name without
    any letter or digit. A name that is nothing but a legal form keeps it.
    """
    words = _plain(name)[:MOST_KEY].split()
    while words:
        shorter = _shorter(_joined_letters(words))
        if shorter == words:
            break
        words = shorter
    return " ".join(words)


# Where anybody gets an address; such a domain says nothing about who the customer is.
_FREE_MAIL = """
    126.com 139.com 163.com 188.com 189.cn 21cn.com abv.bg alice.it aliyun.com aol.com
    arcor.de att.net bellsouth.net bigpond.com bk.ru bluewin.ch bol.com.br btinternet.com
    centrum.cz comcast.net cox.net daum.net duck.com earthlink.net email.com email.cz
    fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de gmail.com gmx.at
    gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net hey.com hotmail.co.uk
    hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.se icloud.com inbox.lv
    inbox.ru interia.pl internode.on.net kolumbus.fi laposte.net libero.it list.ru live.cn
    live.co.uk live.com live.de live.fr live.it live.nl live.no live.se mac.com mail.com
    mail.ee mail.ru mailbox.org me.com msn.com naver.com o2.pl online.de online.no onet.pl
    optonline.net optusnet.com.au orange.fr outlook.com outlook.de outlook.es outlook.fr
    pm.me poczta.onet.pl proton.me protonmail.ch protonmail.com qq.com rambler.ru
    rediffmail.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca
    sina.cn sina.com sina.com.cn sky.com sohu.com sympatico.ca t-online.de talktalk.net
    telenet.be telia.com terra.com.br tiscali.it tom.com tuta.com tutanota.com ukr.net
    uol.com.br verizon.net vip.163.com vip.qq.com virgilio.it virginmedia.com volny.cz
    walla.co.il wanadoo.fr web.de wp.pl xs4all.nl xtra.co.nz ya.ru yahoo.ca yahoo.cn
    yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br yahoo.com.cn
    yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru yeah.net ymail.com ziggo.nl
    zoho.com
"""
FREE_MAIL_DOMAINS = frozenset(_FREE_MAIL.split())
_label = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_scheme = re.compile(r"^[a-z][a-z0-9+.-]*://")


def normal_domain(text: str | None) -> str | None:
    """Return the domain of an address, mail address or link, in ASCII; None where there is none.

    Lower case, without scheme, port, path and a leading www.
    """
    if not text:
        return None
    name = _scheme.sub("", unicodedata.normalize("NFKC", text).strip().lower())
    name = re.split(r"[/?#]", name, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].rstrip(".")
    name = name.removeprefix("www.")
    try:
        name = name.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = name.split(".")
    fits = len(name) <= 253 and len(labels) > 1 and all(map(_label.fullmatch, labels))
    return name if fits else None


def is_free_mail(domain: str) -> bool:
    """Return whether anybody can have an address at `domain`, as `normal_domain` gives it."""
    return domain in FREE_MAIL_DOMAINS


def telling_domain(text: str | None) -> str | None:
    """Return the domain when it tells who the customer is; None for free-mail providers."""
    domain = normal_domain(text)
    return None if domain is None or is_free_mail(domain) else domain


def normal_tax_id(text: str | None, country: str | None) -> str | None:
    """Return a tax id in capitals without separators and without its own country's prefix.

    country: ISO 3166 alpha-2. None where nothing is left.
    """
    if not text:
        return None
    kept = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    for prefix in (country or "").upper(), "EL" if country == "GR" else "":
        rest = kept.removeprefix(prefix)
        if prefix and rest != kept and len(rest) >= 5 and any(c.isdigit() for c in rest):
            kept = rest
            break
    return kept[:MOST_KEY] or None
