"""What is known of words before anybody is compared: nicknames, what stands for nothing, how streets are called."""

from __future__ import annotations

__all__ = ["NICKNAMES", "NOTHING", "ROLES", "STREETS", "USUAL"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOTHING = frozenset(
    (
        *(
            "x",
            "xx",
            "xxx",
            "xxxx",
            "na",
            "n a",
            "nan",
            "nil",
            "null",
            "none",
            "unknown",
            "unbekannt",
            "inconnu",
            "inconnue",
        ),
        *(
            "desconocido",
            "desconocida",
            "missing",
            "blank",
            "empty",
            "tbd",
            "unnamed",
            "anonymous",
            "no name",
            "noname",
        ),
        *("not given", "not known", "not available", "first name", "firstname", "last name", "lastname", "surname"),
    )
)
"""What people type where they must type something and know nothing."""

ROLES = _words(
    """
    info sales contact office admin hello hi support mail email enquiries inquiries marketing team service billing
    accounts accounting invoice invoices hr jobs careers press noreply donotreply webmaster postmaster kontakt buero
    reception vertrieb einkauf ventas compras contacto commercial comercial help helpdesk general purchasing orders
    """
)
"""Mailboxes of nobody in particular."""

_FAMILIES = """
    alexander alex al sandy sascha sasha lex xander alec | alexandra alex sandra sandy lexi sasha alexa alessandra |
    andrew andy drew andreas andre andrei | anthony tony anton toni antonio | abigail abby gail | albert al bert
    bertie | alfred fred alf freddie | amanda mandy | angela angie | ann anne anna annie anita hannah nan | arthur
    art artie | barbara barb babs barbie | benjamin ben benny benji | bernard bernie bernhard | bradley brad |
    bridget biddy bridie | caroline carol carrie carolyn | catherine kathryn katherine cathy kathy kate katie kay
    katy kit kitty cath caitlin | charles charlie chuck chas karl carl carlos | charlotte lottie charlie | christina
    christine chris tina chrissy kristina | christopher chris kit topher kris christoph christian | clifford cliff |
    cynthia cindy | daniel dan danny dani | david dave davey davy | deborah deb debbie debra | dennis denny | diana
    di diane | dominic dom nick | donald don donny | dorothy dot dottie dolly | douglas doug | edward ed eddie ted
    teddy ned eduard eduardo | edwin ed eddie | eleanor ellie nell nora elena | elizabeth liz lizzie beth betty
    eliza lisa libby elisabeth elsa bess betsy liza lisbeth | emily em emmy emma | eugene gene | evelyn evie eve |
    florence flo florrie | frances fran francesca fanny | francis frank fran francisco paco franz francesco |
    franklin frank | frederick fred freddie freddy fritz friedrich | gabriel gabe | gabrielle gabby gabriela gaby |
    geoffrey jeffrey geoff jeff | george georg jorge georgie | gerald gerry jerry | gerard gerry | gregory greg
    gregor | harold harry hal | harriet hattie | helen nell ellen helena lena | henry harry hank hal heinrich henri
    enrique | herbert herb bert | howard howie | hubert hugh bert | ian iain | ignacio nacho | isaac ike zac |
    isabella isabel bella izzy belle isabelle | jacob jake jack jakob | jacqueline jackie jacqui | james jim jimmy
    jamie jaime | janet jan | jane janie jenny | jean jeanne jeannie | jennifer jen jenny jenni | jeremy jerry jem |
    jessica jess jessie | joan joanie | joanna jo joanne | john jack johnny jon johan johannes hans juan jean |
    jonathan jon john jonny | joseph joe joey josef jose giuseppe pepe sepp | josephine jo josie | joshua josh |
    judith judy jude | julia julie jules giulia | julian jules | katarina katja kathrin katrin | kenneth ken kenny |
    kimberly kim kimberley | kevin kev | laura laurie lori | lawrence larry laurence lars lorenz | leonard len lenny
    leo | leslie les | lewis lou louis luis ludwig | louise lou luisa | lillian lily lil lilly | linda lindy | lucy
    lucia lucille | lucas luke luka lukas | madeline maddy madeleine maddie | magdalena lena magda | manuel manny
    manolo | margaret maggie meg peggy marge margie greta rita daisy margarete gretel | maria mary marie mia molly |
    martha marty | martin marty martyn | matthew matt matthias mathew matteo mats | maximilian max maxwell | megan
    meg meghan | melanie mel | melissa mel missy lissa | michael mike mick mickey mikey michel miguel michele mihail
    mikhail michal misha | mitchell mitch | montgomery monty | nancy nan | natalie nat natalia natasha | nathaniel
    nathan nat nate | nicholas nick nicky nico nicolas nikolaus nikolai klaus niklas | nicole nicki nikki nicola |
    oliver ollie olly | olivia liv livvy | pamela pam | patricia pat patty trish tricia patti | patrick pat paddy
    rick | paul paulo pablo pavel | penelope penny | peter pete pedro pierre pietro piotr | philip phil phillip
    felipe philippe | rachel rach rae | raymond ray | rebecca becky becca | reginald reg reggie | richard rick rich
    dick ricky richie ricardo | robert bob rob bobby robbie bert roberto | roderick rod | rodney rod | roger rodge |
    ronald ron ronnie | rosemary rose rosie | rudolf rudi rolf | russell russ | samantha sam sammy | samuel sam
    sammy | sarah sally sara sadie | sebastian seb bastian basti | sharon shari | sidney sid sydney | simon si
    simeon | stanley stan | stephanie steph steffi stefanie | stephen steven steve stefan esteban stevie | susan sue
    suzie suzanne susanne susanna suzy | sylvia silvia | terence terry terrance | theodore ted theo teddy theodor |
    theresa teresa terry tess tessa | thomas tom tommy tomas | timothy tim timmy | tobias toby tobi | ulrich uli |
    valerie val | veronica ronnie | victor vic viktor | victoria vicky tori vicki | vincent vince vinny vicente |
    vivian viv vivienne | vladimir vova volodya | virginia ginny | walter walt wally | wendy wendi | wilfred wilf
    fred | wilhelm willi william | william bill billy will willy liam guillermo guillaume wilhelm | wolfgang wolf |
    yvonne eve | zachary zach zack zac
"""
_ALONE = """
    marta marco mario luca paola paolo anja antje astrid birgit brigitte bjorn carla carlo carmen chiara clara
    claudia claus dagmar dieter dirk doris elke erik erika erich eva fatima felix finn frauke gerd gerda giorgio
    gunter gustav hanna heike heinz helga hilda holger horst ingo ingrid inge ingeborg irene irina ivan ivana jana
    jens jonas joel jorg jurgen julio karin karla kim kirsten lara larissa lea leah leila levi lina lisbet logan
    mason nina noah nora olaf ole olga omar oscar otto ralf ralph reiner rainer renate rene renee ruth sabine sandro
    silke simone simona sofia sophia sonia sonja sven svenja tanja tania thorsten tina tim uta ute uwe vera werner
    wilma yara zoe zoey dean sean shaun shane ethan evan ryan brian bryan dylan tyler taylor hayley bailey kayla
    kyle lachlan liam aidan jayden hayden caleb isaiah elijah joel alana alisha alicia jasmine chelsea ebony georgia
    holly imogen isla erin ella ruby poppy brooke paige amy ali aisha ahmed ahmad mohammed muhammad mohamed hassan
    hussein ibrahim yusuf karim layla mariam priya raj ravi anil sunil amit ankit arjun wei li jing ming hiroshi
    haruto yuki akira kenji sakura min joon jose javier raul ruben sergio silvio pilar ines isabel hugo bruno andrea
    alain amelie benoit camille celine claire claude denis didier elodie gilles guy jacques julien laurent luc marc
    margaux mathilde nadine odile olivier pascal quentin remy sylvie thierry xavier yves zofia agnieszka ewa jakub
    jerzy krzysztof malgorzata marek pawel piotr tomasz wojciech dmitri ekaterina igor oksana oleg sergei svetlana
    tatiana yuri
"""
NICKNAMES: dict[str, tuple[int, ...]] = {}
"""The families of given names that a name belongs to: two names with a family in common may be one person's.

A name that is known and has no family in common with another is another name, however alike they are."""
for _number, _family in enumerate(_FAMILIES.split("|")):
    for _name in _family.split():
        NICKNAMES[_name] = (*NICKNAMES.get(_name, ()), _number)
for _number, _name in enumerate(_ALONE.split(), start=1000):
    NICKNAMES.setdefault(_name, (_number,))

_WRITTEN_OUT = {
    "street": "st str",
    "road": "rd",
    "avenue": "ave av",
    "drive": "dr drv",
    "place": "pl",
    "court": "ct crt",
    "lane": "ln",
    "crescent": "cres cr",
    "circuit": "cct circ",
    "boulevard": "blvd boul bd",
    "close": "cl",
    "terrace": "tce terr",
    "square": "sq",
    "highway": "hwy",
    "parade": "pde",
    "parkway": "pkwy",
    "grove": "gr",
    "village": "vlge vlg",
    "retirement": "retrmnt",
    "estate": "est",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "mount": "mt",
    "apartment": "apt",
    "floor": "fl flr",
    "suite": "ste",
    "rue": "r",
    "platz": "plz",
}
STREETS = {short: long for long, shorts in _WRITTEN_OUT.items() for short in shorts.split()}
"""How the words of a street are written out."""
USUAL = _words(
    """
    street road avenue drive place court lane crescent circuit boulevard close terrace square highway parade parkway
    grove way rue chemin calle via viale piazza ulica ul strasse weg platz allee gasse rua avenida plaza de la du des
    del the
    """
)
"""Words that say little of which street it is."""
