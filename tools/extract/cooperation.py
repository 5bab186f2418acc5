"""Science and technology cooperation of China and Russia: events, models, projects, ventures, arms, patents."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.extract import economy, field, table, year

BOOK = {"publisher": "Compiled for this book", "title": "Compiled for this book from the pages named in each row"}
THESIS = {
    "publisher": "Zeng Xiaoru (2018)",
    "title": "Zeng Xiaoru, Identifying the prospects of counter trade between Russia and China, master's thesis, South Ural State University, 2018, chapter 4",
}
PAPER = {
    "publisher": "Sokolova, Leontieva and Shkarina (2022)",
    "title": "Sokolova, E. S., Leontieva, L. S. and Shkarina, V. S., Research Result. Economic Research 8(2), 2022, pp. 13–22",
}
CHTF = {
    "publisher": "CHTF Organizing Committee (2017)",
    "title": "Connecting High-Tech Transformation between Russia and China, China Hi-Tech Fair news, 20 November 2017",
    "path": "http://www.chtf.com/english/News/ChildNews/201711/t20171120_13476.html",
}
SIPRI = {
    "publisher": "Stockholm International Peace Research Institute (SIPRI)",
    "title": "SIPRI Arms Transfers Database, data generated on 29 March 2025",
    "path": "https://www.sipri.org/databases/armstransfers",
}
WDI_2021 = {
    "publisher": "World Bank, World Development Indicators",
    "title": "World Bank, World Development Indicators (vintage of 2021)",
    "path": "https://databank.worldbank.org/source/world-development-indicators",
}
NCSES = {
    "publisher": "US National Science Foundation (NCSES)",
    "title": "National Center for Science and Engineering Statistics, Science and Engineering Indicators 2024, tables SINV-4 and SINV-11",
    "path": "https://ncses.nsf.gov/indicators",
}
RUSNANO = {
    "publisher": "RUSNANO",
    "title": "RUSNANO and Thunder Sky Group set agreement to establish joint Russian-Chinese nanotech plant (press release, April 2010) and press reports named in each row",
    "path": "http://www.nanotech-now.com/news.cgi?story_id=37910",
}

# --- events ---------------------------------------------------------------------------------------

# event, date, kind, what happened, short label, in the thesis?, confirmed by (publisher), address
EVENTS = [
    ("aid-projects", "1953-05-15", "agreement", "Protocol on Soviet assistance to China's industry; 156 projects in the first five-year plan", "156 industrial projects agreed", True, "The Nanjinger", "https://thenanjinger.com/?p=40318"),
    ("st-agreement-1954", "1954-10-12", "agreement", "Sino-Soviet agreement on scientific and technical cooperation: documents exchanged free of charge but for the cost of copying", "Science agreement", False, "State Council Gazette of the People's Republic of China 1954, No. 1", "https://zh.m.wikisource.org/wiki/Page:Gwyb195401.djvu/9"),
    ("experts-recalled", "1960-07-18", "break", "The Soviet Union recalls its experts from China", "Soviet experts recalled", False, "Wilson Center Digital Archive, document 117052", "https://digitalarchive.wilsoncenter.org/document/117052"),
    ("trade-low", "1970", "break", "Trade has fallen to about 50 million US dollars a year in 1969–70", "Trade near zero", False, "CIA (September 1972), The Revival of Sino-Soviet Trade", "https://cia.gov/readingroom/document/cia-rdp85t00875r001700040019-6"),
    ("agreements-1984", "1984-12", "agreement", "Agreements on economic, technical and scientific cooperation signed during the visit of the Soviet deputy premier Arkhipov", "Agreements of the Arkhipov visit", True, "CIA (22 January 1985), USSR-China: Impact of Arkhipov Visit", "https://cia.gov/readingroom/node/1623115"),
    ("heilongjiang-right", "1987", "agreement", "Heilongjiang is given the right to sign second-level agreements with the Soviet Union", "Heilongjiang may sign agreements", True, None, None),
    ("heilongjiang-siberia", "1988-09", "agreement", "Agreement on science and technology between Heilongjiang and Siberia and the Far East", "Heilongjiang–Siberia agreement", True, None, None),
    ("recognition", "1991-12-27", "agreement", "China recognises the Russian Federation", "Russia recognised", False, "Ministry of Foreign Affairs of China (2000), China and Russia: partnership of strategic coordination", "https://www.fmprc.gov.cn/eng/ziliao_665539/3602_665543/3604_665547/200011/t20001117_697849.html"),
    ("st-agreement-1992", "1992-12-18", "agreement", "Intergovernmental agreement on scientific and technical cooperation", "Science agreement", True, "Memorandum on cooperation in innovation, Beijing, 3 November 2000, preamble; resolution 866 of the Government of Russia, 12 November 1992", "https://laws-russia.narod.ru/fed2000/data02/tex12710.htm"),
    ("centre-1995", "1995", "institution", "China–Russia science and high technology centre association, at Russia's suggestion", "High-technology centre", True, None, None),
    ("partnership-1996", "1996-04-25", "agreement", "Partnership of strategic coordination declared in the third joint statement", "Strategic partnership", True, "Ministry of Foreign Affairs of China (2000), China and Russia: partnership of strategic coordination", "https://www.fmprc.gov.cn/eng/ziliao_665539/3602_665543/3604_665547/200011/t20001117_697849.html"),
    ("enrichment-1996", "1996", "project", "First Russian-supplied centrifuge enrichment plant at Hanzhong", "Centrifuges at Hanzhong", False, "International Panel on Fissile Materials (2011)", "http://fissilematerials.org/blog/2011/04/new_russian-built_enrichm.html"),
    ("astronauts-1997", "1997-11", "project", "Two Chinese astronauts finish a year's training at the Gagarin centre", "Two astronauts trained", True, "China Daily (18 November 2016), Tale of two trailblazers", "https://covid-19.chinadaily.com.cn/china/2016-11/18/content_27418865_3.htm"),
    ("subcommittee-1997", "1997", "institution", "Sub-committee on science and technology under the regular meeting of prime ministers", "Sub-committee on science", True, "Ministry of Science and Technology of China (December 2016): its yearly sessions reach the 20th in 2016, so the first was in 1997", "https://en.most.gov.cn/pressroom/201612/t20161202_129310.htm"),
    ("yantai-1998", "1998", "institution", "Demonstration base for high-technology industry opened in Yantai", "Yantai demonstration base", True, None, None),
    ("property-1999", "1999-02-25", "agreement", "Protocol on the protection and allocation of intellectual property rights to the agreement of 1992", "Intellectual property protocol", True, "Memorandum on cooperation in innovation, Beijing, 3 November 2000, preamble", "https://laws-russia.narod.ru/fed2000/data02/tex12710.htm"),
    ("tianwan-1999", "1999-10", "project", "Construction of the Tianwan nuclear power station begins", "Tianwan nuclear station", False, "Xinhua via China.org.cn (September 2000)", "http://english.china.org.cn/english/2000/Sep/2006.htm"),
    ("innovation-2000", "2000-11-03", "agreement", "Memorandum on cooperation in innovation between the ministries of science", "Innovation memorandum", False, "Memorandum on cooperation in innovation, Beijing, 3 November 2000", "https://laws-russia.narod.ru/fed2000/data02/tex12710.htm"),
    ("treaty-2001", "2001-07-16", "agreement", "Treaty of Good-Neighbourliness and Friendly Cooperation", "Treaty of good neighbours", False, "China.org.cn; TASS (16 July 2025)", "https://tass.com/world/1990003"),
    ("liotech-2010", "2010-04-20", "venture", "RUSNANO and Thunder Sky agree on a lithium-ion battery plant", "Liotech agreed", True, "Green Car Congress (20 April 2010)", "https://www.greencarcongress.com/2010/04/rusnano-20100420.html"),
    ("asrtu-2011", "2011-03-06", "institution", "Association of Sino-Russian Technical Universities founded by 30 universities", "Technical universities' association", False, "Kalashnikov Izhevsk State Technical University", "http://inter.istu.ru/news/1513-convention-of-asrtu-in-st-petersburg-the-partnership-of-chinese-and-russian-universities"),
    ("enrichment-2011", "2011-03", "project", "Fourth Russian-supplied enrichment plant begins operations at Hanzhong", "Fourth enrichment plant", True, "International Panel on Fissile Materials (2011)", "http://fissilematerials.org/blog/2011/04/new_russian-built_enrichm.html"),
    ("liotech-2011", "2011-12", "venture", "Liotech plant opened near Novosibirsk", "Liotech opened", False, "Evwind (11 December 2011)", "https://www.evwind.es/2011/12/11/lithium-ion-batteries-production-for-electric-vehicles-in-siberia/15107"),
    ("craic-2017", "2017-05-22", "venture", "COMAC and United Aircraft found a joint venture for a wide-body airliner", "Airliner joint venture", False, "CAPA Centre for Aviation (22 May 2017)", "https://centreforaviation.com/news/uac-comac-and-uac-held-an-establishment-ceremony-for-the-long-range-wide-body-commercial-aircraft-p-675171"),
    ("alliance-2017", "2017-09-13", "institution", "Alliance of comprehensive universities established in Shenzhen; the MSU-BIT university opens there on the same day", "University alliance; MSU-BIT", False, "Xinhua via China Daily (13 September 2017); TASS (13 September 2017)", "https://global.chinadaily.com.cn/a/201709/13/WS59ba7b62a310384e2419fcb6.html"),
    ("years-2020", "2020-08-26", "institution", "Years of Scientific, Technical and Innovation Cooperation 2020–2021 opened", "Years of science 2020–21", False, "Xinhua via People's Daily (27 August 2020); TASS (26 August 2020)", "http://en.people.cn/n3/2020/0827/c90000-9739023.html"),
    ("lunar-2021", "2021-03-09", "agreement", "Memorandum on an international lunar research station", "Lunar station memorandum", False, "TASS (9 March 2021)", "https://tass.com/science/1263979"),
    ("reactors-2021", "2021-05-19", "project", "Construction of four Russian-designed reactors at Tianwan and Xudapu begins", "Four more reactors", False, "President of Russia (19 May 2021)", "https://newskitchen.eu/2021/05/19/launch-of-construction-of-new-power-units-at-tianwan-and-xudapu-nuclear-power-plants/"),
    ("liotech-2022", "2022", "break", "Liotech-Innovations, then wholly owned by RUSNANO, enters insolvency", "Liotech insolvent", False, "Gisprofi (2022), report on the arbitration court of Novosibirsk", "https://gisprofi.com/gd/documents/sud-v-novosibirske-priznal-bankrotom-zavod-litij-ionnyh-batarej-rosnano.html"),
]  # fmt: skip


@table(
    "cooperation-events",
    title="Events in the science and technology cooperation of China and Russia, 1953–2022",
    description="Dated agreements, institutions, projects, ventures and breaks: those that the thesis names and others that a published source dates.",
    fields=[
        field("event_id", "string", "Name of the event", required=True),
        year(
            1950, 2025, "Year in which it happened; for events without a second source, the year that the thesis gives"
        ),
        field(
            "date",
            "string",
            "Date as far as the source gives it (ISO 8601)",
            required=True,
            pattern=r"\d{4}(-\d{2}(-\d{2})?)?",
        ),
        field(
            "kind",
            "string",
            "What it is",
            required=True,
            enum=["agreement", "institution", "project", "venture", "break"],
        ),
        field("event", "string", "What happened", required=True),
        field("label", "string", "The same in a few words, for a figure", required=True),
        field("in_thesis", "boolean", "Whether the thesis names it (not necessarily with this date)", required=True),
        field("confirmed_by", "string", "Publication that dates it; empty: only the thesis does"),
        field("url", "string", "Address of that publication"),
    ],
    key=["event_id"],
    sources=[BOOK, THESIS],
    licence="own",
    vintage="Compiled in 2026",
    kind="constructed",
    caveats=[
        "A selection, not a census: the thesis's own events and the better-known later ones. The number of events a year measures attention, not cooperation.",
        "Four events stand in the thesis only; no second source was found that dates them. The year of the sub-committee is counted back from the number of a later yearly session.",
        "Several addresses are reprints (newskitchen.eu prints the President of Russia; the pages of laws-russia.narod.ru print official texts).",
    ],
)
def cooperation_events(raw: Path) -> pd.DataFrame:
    columns = ["event_id", "date", "kind", "event", "label", "in_thesis", "confirmed_by", "url"]
    frame = pd.DataFrame(EVENTS, columns=columns)
    return frame.assign(year=frame["date"].str[:4].astype(int))


ERAS = [
    (1, 1950, 1959, "Brilliant start", "4.1.1", "first stage, the 1950s"),
    (2, 1960, 1979, "Stagnation", "4.1.1", "second stage, 1960s to 1970s"),
    (3, 1980, 1991, "Recovery", "4.1.1", "third stage, 1980s to early 1990s"),
    (4, 1992, 1994, "Resumption", "4.1.2", "first stage since the 1990s: begins with the agreement of 1992"),
    (5, 1995, 1997, "Norms", "4.1.2", "second stage: begins with the centre of 1995"),
    (
        6,
        1998,
        2018,
        "Industrialisation",
        "4.1.2",
        "third stage: begins with the Yantai base of 1998; the thesis ends in 2018",
    ),
]


@table(
    "cooperation-eras",
    title="Stages of science and technology cooperation as the thesis proposes them, 1950–2018",
    description="Six stages in two histories. Decades are the thesis's; where it gives only a first event, the stage begins in the year of that event.",
    fields=[
        field("stage", "integer", "Number, in order of time", required=True, minimum=1),
        field("start", "integer", "First year", required=True),
        field("end", "integer", "Last year", required=True),
        field("name", "string", "Short name, after the thesis's description", required=True),
        field("section", "string", "Section of the thesis", required=True),
        field("how_dated", "string", "How the years follow from the text", required=True),
    ],
    key=["stage"],
    sources=[THESIS],
    licence="own",
    vintage="Thesis of 2018",
    kind="constructed",
    caveats=[
        "The thesis dates its stages by decades or by a first event; the years of the borders are a reading. It lets the third Soviet stage run into the early 1990s."
    ],
)
def cooperation_eras(raw: Path) -> pd.DataFrame:
    return pd.DataFrame(ERAS, columns=["stage", "start", "end", "name", "section", "how_dated"])


# --- models ---------------------------------------------------------------------------------------

# form, name, classification, source, section, described, definition
FORMS = [
    ("scientific-educational", "Scientific and educational", "kinds of partnership", "patents-paper", "Introduction", True, "Human capital is developed together; joint research institutes are formed for given problems."),
    ("patent-investment", "Patent and investment", "kinds of partnership", "patents-paper", "Introduction", True, "Institutions are created that use existing knowledge and pay for new knowledge through financial mechanisms."),
    ("digital-institutional", "Digitalisation and institutional", "kinds of partnership", "patents-paper", "Introduction", True, "The economy is digitalised together, scientific institutions are transplanted, intangible assets move between jurisdictions, culture included."),
    ("non-paid", "Non-paid exchange", "forms of cooperation", "thesis", "4.4", True, "Information, samples, symposia and experts are exchanged without payment; without a formal agreement it is called informal."),
    ("paid-transfer", "Paid transfer", "forms of cooperation", "thesis", "4.4", True, "Technology is traded: licences, services, cooperative production, engineering contracts, technology bundled with equipment."),
    ("joint-rd", "Joint research and development", "forms of cooperation", "thesis", "4.4", True, "Institutions of different countries pool funds, people and technology in joint plans for one market need; led by states or by businesses."),
    ("industrialisation", "Industrialisation cooperation", "forms of cooperation", "thesis", "4.4", False, "Named as a mode that has emerged recently; not described."),
    ("model-joint-rd", "Joint R&D", "organisation models", "thesis", "4.4.1", True, "A partnership of enterprises or institutes for one technology project; also joint research centres."),
    ("model-research-company", "Research company", "organisation models", "thesis", "4.4.2", True, "A joint-stock company founded by several firms or institutes of both countries to innovate in one field."),
    ("model-commissioned", "Commissioned R&D", "organisation models", "thesis", "4.4.3", True, "A contract: an enterprise sets the goal and pays, universities or institutes do the research."),
    ("model-joint-venture", "Joint venture", "organisation models", "thesis", "4.4.4", True, "A company of both sides that develops and produces in one of the countries."),
    ("model-education", "Education management", "organisation models", "thesis", "4.4", False, "Announced in section 4.4; not described."),
    ("model-incubator", "Science park and incubator", "organisation models", "thesis", "4.4", False, "Announced in section 4.4; not described."),
    ("lead-government", "Government leads, enterprises take part", "who leads", "thesis", "4.4", False, "One of six types by partners; named only."),
    ("lead-advocacy", "Government advocates, enterprises take part", "who leads", "thesis", "4.4", False, "One of six types by partners; named only."),
    ("lead-institutes", "Government guides research units", "who leads", "thesis", "4.4", False, "One of six types by partners; named only."),
    ("lead-enterprise", "Enterprises lead", "who leads", "thesis", "4.4", False, "One of six types by partners; named only."),
    ("lead-mixed", "Government and research units in an enterprise", "who leads", "thesis", "4.4", False, "One of six types by partners; named only."),
    ("lead-other", "Other types", "who leads", "thesis", "4.4", False, "One of six types by partners; named only."),
    ("platform-government", "Intergovernmental mechanism", "cooperation platforms", "thesis", "4.3", False, "A platform jointly created by the governments."),
    ("platform-research", "Joint research mechanism", "cooperation platforms", "thesis", "4.3", False, "A platform of research institutions."),
    ("platform-base", "Jointly built bases", "cooperation platforms", "thesis", "4.3", False, "Science parks, consulting structures, incubators and industrialisation centres."),
    ("actor-government", "Government", "actors of the innovation system", "thesis", "4.3", True, "Institutions with power, belonging to the political system."),
    ("actor-science", "Education and science", "actors of the innovation system", "thesis", "4.3", True, "Organisations of education and research, belonging to the research system."),
    ("actor-business", "Business", "actors of the innovation system", "thesis", "4.3", True, "Producers and enterprises, belonging to the economic system; they may also act as the final customer."),
]  # fmt: skip


@table(
    "cooperation-models",
    title="Classifications of science and technology cooperation, as stated in the sources",
    description="Every class that the sources name: three kinds of partnership (paper), four forms, organisation models, types by lead, platforms and actors (thesis).",
    fields=[
        field("form", "string", "Name of the class", required=True),
        field("position", "integer", "Place in the order of the sources", required=True, minimum=1),
        field("name", "string", "Name for reading", required=True),
        field("classification", "string", "Classification it belongs to", required=True),
        field("source", "string", "Source that states it", required=True, enum=["thesis", "patents-paper"]),
        field("section", "string", "Section", required=True),
        field("described", "boolean", "false where the source only names it", required=True),
        field("definition", "string", "What the source says, in our words", required=True),
    ],
    key=["form"],
    sources=[THESIS, PAPER],
    licence="own",
    vintage="Sources of 2018 and 2022",
    kind="constructed",
    caveats=[
        "Compiled from the two sources; as stated there, not checked against other literature. “Non-paid” is printed “non-negotiable” in the thesis, “commissioned” as “commission a generation system”."
    ],
)
def cooperation_models(raw: Path) -> pd.DataFrame:
    frame = pd.DataFrame(
        FORMS, columns=["form", "name", "classification", "source", "section", "described", "definition"]
    )
    return frame.assign(position=range(1, len(frame) + 1))


# form, question, answer, detail
ROLES = [
    ("model-joint-rd", "who funds", "partners", "The partners invest together, which eases the pressure on each."),
    ("model-joint-rd", "who does the work", "partners", "Experts of both sides work together in the project or the joint centre."),
    ("model-joint-rd", "who owns the result", "partners", "The achievements are shared; for the Hunan centre the thesis instead names China's own intellectual property as the goal."),
    ("model-joint-rd", "financial risk", "partners", "Spread over the cooperating units."),
    ("model-joint-rd", "technical risk", "reduced", "Greatly reduced by pooling technical staff."),
    ("model-joint-rd", "advantage", "pooled strengths", "Strengths of both sides are joined and experience for later projects is gained."),
    ("model-joint-rd", "drawback", "coordination", "Coordination, communication, sincerity and the building of the alliance are difficult."),
    ("model-research-company", "who funds", "members", "Joint-stock: the founding enterprises and institutes hold the shares."),
    ("model-research-company", "who does the work", "company", "Managers and specialists are seconded by the members in rotation."),
    ("model-research-company", "who owns the result", "company", "All results belong to the company; members pay for the right to use them."),
    ("model-research-company", "financial risk", "members", "Shared by the members or shareholders."),
    ("model-research-company", "technical risk", "reduced", "Greatly reduced by the better mix of technical resources."),
    ("model-research-company", "market risk", "user alone", "Borne solely by the member that uses the result."),
    ("model-research-company", "advantage", "spread risk", "Risk is diversified and the project is more likely to be carried through."),
    ("model-commissioned", "who funds", "client", "The client, usually an enterprise, provides the money and the goal."),
    ("model-commissioned", "who does the work", "contractor", "Universities, independent or government institutes provide experts and equipment."),
    ("model-joint-venture", "who funds", "partners", "Equity and loans of both partners (Liotech)."),
    ("model-joint-venture", "who does the work", "venture", "Research and production are joint, in one of the countries."),
    ("model-joint-venture", "advantage", "jobs, skills", "New jobs in the host country, a smaller technology gap, better products from existing capacity."),
    ("model-joint-venture", "drawback", "hard to run", "Not the most common model, because it is difficult in practice."),
    ("non-paid", "advantage", "flexible, cheap", "Great flexibility and little expense; can start formal cooperation."),
    ("non-paid", "drawback", "short-lived", "Exists only in the short term and brings no economic benefit."),
    ("paid-transfer", "who funds", "recipient", "Paid for in technology, market access or funds."),
    ("joint-rd", "who funds", "partners", "Funds, talents and technology of institutions of different countries."),
    ("joint-rd", "who does the work", "partners", "State-led programmes or business alliances."),
]  # fmt: skip


@table(
    "cooperation-roles",
    title="Who funds, works, owns and bears the risk in each form of cooperation, as stated in the thesis",
    description="One row for each question that the thesis answers about a form. A missing row means that the thesis does not say.",
    fields=[
        field("form", "string", "Form of cooperation", required=True),
        field(
            "question",
            "string",
            "Question",
            required=True,
            enum=[
                "who funds",
                "who does the work",
                "who owns the result",
                "financial risk",
                "technical risk",
                "market risk",
                "advantage",
                "drawback",
            ],
        ),
        field("answer", "string", "The answer in one or two words", required=True),
        field("detail", "string", "What the thesis says, in our words", required=True),
    ],
    key=["form", "question"],
    sources=[THESIS],
    licence="own",
    vintage="Thesis of 2018",
    kind="constructed",
    caveats=["Compiled from sections 4.4–4.4.4 of the thesis; nothing is added where it is silent."],
    references={"form": "cooperation-models.form"},
)
def cooperation_roles(raw: Path) -> pd.DataFrame:
    return pd.DataFrame(ROLES, columns=["form", "question", "answer", "detail"])


# --- projects and organisations -------------------------------------------------------------------

# project, label, field, form, source, section, Chinese organisations, Russian organisations, stated
PROJECTS = [
    ("light-alloys", "Light alloy products", "new materials", "model-joint-rd", "thesis", "4.4.1", ["Central South University"], ["All-Russian Institute of Light Alloys", "Moscow Aviation Technological Institute"], "Military and civilian high-technology products developed jointly."),
    ("shs-centre", "SHS technology centre", "new materials", "model-joint-rd", "thesis", "4.4.1", ["Wuhan University of Technology"], ["Institute of Structural Macrokinetics, RAS"], "Joint centre for self-propagating high-temperature synthesis."),
    ("new-materials-centre", "New materials centre", "new materials", "model-joint-rd", "thesis", "4.4.1", ["Weihai Tuozhan Fiber", "Shandong University"], ["State Institute of Graphite Materials"], "Joint research and development centre for new materials."),
    ("hunan-centre", "Hunan new materials centre", "new materials", "model-joint-rd", "thesis", "4.4.1", ["Hunan province"], ["Russian partners, not named"], "International centre for the industrialisation of new materials."),
    ("tomsk-centre", "Tomsk research centre", "several fields", "model-commissioned", "thesis", "4.4.3", ["A Chinese university, not named"], ["A university in Tomsk, not named"], "China invests 10 million yuan, Russia provides premises and some equipment."),
    ("biochips", "Biodiagnostics and biochips", "medicine", "model-joint-venture", "thesis", "4.4.4", ["Changzhou Fangyuan Pharmaceutical"], ["Mykki (as printed)"], "Contracts on a joint venture and on a biochip institute."),
    ("liotech", "Liotech battery plant", "energy", "model-joint-venture", "thesis", "4.4.4", ["Thunder Sky Group"], ["RUSNANO"], "Lithium-ion batteries near Novosibirsk; budget of 13.58 billion roubles."),
    ("enrichment", "Uranium enrichment plant", "nuclear energy", None, "thesis", "4.2", ["China nuclear company"], ["Russian technology exporter"], "Russian centrifuges for the fourth phase."),
    ("astronauts", "Astronaut training", "space", None, "thesis", "4.2", ["Chinese astronaut corps"], ["Russian space training"], "Astronauts trained; two returned in 1997."),
    ("superhard", "Superhard composites", "new materials", None, "thesis", "4.2", ["Chinese geologists"], ["Institute of High Pressure Physics, RAS"], "Chinese specialists learn from hired Russian experts."),
    ("nanoparticles", "Nanoparticle device", "new materials", None, "thesis", "4.2", ["East China University of Science and Technology"], ["Russian makers of the device"], "A Russian device brought in; the core technology developed in Shanghai."),
    ("yantai-base", "Yantai demonstration base", "several fields", None, "thesis", "4.1.2", ["Yantai High-tech Zone"], ["Government of Russia"], "Demonstration base for industrialisation, at Russia's initiative."),
    ("huawei-centre", "Moscow R&D centre", "telecommunications", None, "chtf", "news", ["Huawei"], ["Universities in Moscow"], "A joint research and development centre."),
    ("alliance", "Alliance of universities", "education", None, "chtf", "news", ["Chinese comprehensive universities"], ["Russian comprehensive universities"], "Established in Shenzhen in September 2017."),
    ("servers", "Server business", "digital services", None, "patents-paper", "Main part", ["Tencent"], ["Russian market"], "Tencent's server business in Russia."),
    ("marketplace", "Online marketplace", "digital services", None, "patents-paper", "Main part", ["Alibaba"], ["Mail.ru"], "Mutual penetration of models."),
]  # fmt: skip


@table(
    "cooperation-projects",
    title="Projects of cooperation that the sources name",
    description="Projects, centres and ventures, with the form to which the source itself assigns them.",
    fields=[
        field("project", "string", "Name of the project", required=True),
        field("label", "string", "Name for reading", required=True),
        field("field", "string", "Field of technology", required=True),
        field("form", "string", "Organisation model that the source assigns; empty: it assigns none"),
        field("source", "string", "Source that names it", required=True, enum=["thesis", "chtf", "patents-paper"]),
        field("section", "string", "Section", required=True),
        field("stated", "string", "What the source says, in our words", required=True),
    ],
    key=["project"],
    sources=[THESIS, CHTF, PAPER],
    licence="own",
    vintage="Sources of 2017, 2018 and 2022",
    kind="constructed",
    caveats=[
        "Examples that the sources chose, not a list of all projects. Except for Liotech and the enrichment plant, no independent record of results was found."
    ],
)
def cooperation_projects(raw: Path) -> pd.DataFrame:
    rows = [
        (p, label, f, form, source, section, stated) for p, label, f, form, source, section, _, _, stated in PROJECTS
    ]
    return pd.DataFrame(rows, columns=["project", "label", "field", "form", "source", "section", "stated"])


@table(
    "cooperation-partners",
    title="Organisations in the projects that the sources name",
    description="One row per project and organisation.",
    fields=[
        field("project", "string", "Project", required=True),
        field("organisation", "string", "Organisation; descriptive where the source gives no name", required=True),
        economy("economy", "CHN or RUS"),
        field("named", "boolean", "false where the source does not name the organisation", required=True),
    ],
    key=["project", "organisation"],
    sources=[THESIS, CHTF, PAPER],
    licence="own",
    vintage="Sources of 2017, 2018 and 2022",
    kind="constructed",
    caveats=[
        "Garbled names of the thesis are given in their likely form (“Zhongrui Leitian” is Thunder Sky); “Mykki” could not be identified."
    ],
    references={"project": "cooperation-projects.project", "economy": "economies.iso3"},
)
def cooperation_partners(raw: Path) -> pd.DataFrame:
    unnamed = (
        "not named",
        "makers of",
        "partners",
        "Russian technology exporter",
        "Russian market",
        "China nuclear",
        "Chinese geologists",
        "Universities in",
        "comprehensive universities",
        "astronaut corps",
        "space training",
    )
    rows = []
    for project, _, _, _, _, _, chinese, russian, _ in PROJECTS:
        for code, side in (("CHN", chinese), ("RUS", russian)):
            rows += [(project, who, code, not any(u in who for u in unnamed)) for who in side]
    return pd.DataFrame(rows, columns=["project", "organisation", "economy", "named"])


# --- ventures and fair ----------------------------------------------------------------------------


@table(
    "liotech",
    title="Liotech: what was planned, printed and reached, 2009–2022",
    description="Amounts of the battery venture of RUSNANO and Thunder Sky: the release of April 2010, the approval of 2009, reports of the opening and of sales, and the thesis's figures.",
    fields=[
        field("item", "string", "What is measured", required=True),
        field("side", "string", "Partner, or “both”", required=True, enum=["RUSNANO", "Thunder Sky", "both"]),
        field(
            "account",
            "string",
            "Where the figure stands",
            required=True,
            enum=["approval 2009", "agreement 2010", "opening 2011", "sales report 2018", "thesis"],
        ),
        field("value_rub_bn", "number", "Amount", "billion roubles", required=True, minimum=0),
        field("source", "string", "Publication", required=True),
        field("url", "string", "Address; empty for the thesis"),
    ],
    key=["item", "side", "account"],
    sources=[RUSNANO, THESIS],
    licence="facts",
    vintage="2009–2018",
    kind="constructed",
    caveats=[
        "Press figures of the promoters, in current roubles. The thesis's figures are as printed, slips included."
    ],
)
def liotech(raw: Path) -> pd.DataFrame:
    release = (
        "RUSNANO release on Nanotechnology Now (April 2010)",
        "http://www.nanotech-now.com/news.cgi?story_id=37910",
    )
    approval = (
        "Green Car Congress (28 December 2009)",
        "https://www.greencarcongress.com/2009/12/rusnano-20091228.html",
    )
    opening = (
        "Evwind (11 December 2011)",
        "https://www.evwind.es/2011/12/11/lithium-ion-batteries-production-for-electric-vehicles-in-siberia/15107",
    )
    sales = ("MySeldon (2018)", "https://news.myseldon.com/en/news/index/188323022")
    thesis = ("Thesis, section 4.4.4", None)
    frame = pd.read_csv(raw / "hightech/liotech_venture.csv").set_index("indicator")["value"]
    wanted = [
        ("budget", "both", "agreement 2010", "project_budget", 1, release),
        ("equity", "RUSNANO", "agreement 2010", "equity_rusnano", 1, release),
        ("equity", "Thunder Sky", "agreement 2010", "equity_thunder_sky", 1, release),
        ("loan", "RUSNANO", "agreement 2010", "loan_rusnano", 1, release),
        ("loan", "Thunder Sky", "agreement 2010", "loan_thunder_sky", 1, release),
        ("sales planned for 2015", "both", "agreement 2010", "planned_sales", 1, release),
        ("budget", "both", "approval 2009", "project_budget_at_approval", 1, approval),
        ("sales planned for 2015", "both", "approval 2009", "planned_sales_2015_at_approval", 1, approval),
        ("investment", "RUSNANO", "opening 2011", "investment_rusnano", 1, opening),
        ("investment", "Thunder Sky", "opening 2011", "investment_thunder_sky", 1, opening),
    ]
    rows = []
    for item, side, account, key, scale, (source, url) in wanted:
        value = frame.loc[key]
        value = value.iloc[0] if isinstance(value, pd.Series) else value  # the first is the release
        rows.append((item, side, account, float(value) * scale, source, url))
    reached = pd.read_csv(raw / "hightech/liotech_venture.csv").query("indicator == 'sales'")
    rows += [
        (f"sales {int(y)}", "both", "sales report 2018", float(v) / 1000, *sales)
        for y, v in zip(reached["year"], reached["value"], strict=True)
    ]
    printed = [
        ("budget", "both", 13.58),
        ("equity", "RUSNANO", 2.09),
        ("loan", "RUSNANO", 5.5),
        ("equity", "Thunder Sky", 20.9),
        ("loan", "Thunder Sky", 39.0),
        ("sales planned for 2015", "both", 13.1),
    ]
    rows += [(item, side, "thesis", value, *thesis) for item, side, value in printed]
    return pd.DataFrame(rows, columns=["item", "side", "account", "value_rub_bn", "source", "url"])


@table(
    "chtf-fair",
    title="China Hi-Tech Fair: figures of selected years, 2013–2017",
    description="Exhibitors, visitors, countries and area as published; only figures with a full address.",
    fields=[
        year(2013, 2017, "Year of the fair"),
        field("indicator", "string", "What is counted", required=True),
        field("value", "number", "Figure", "see unit", required=True, minimum=0),
        field("unit", "string", "Unit", required=True),
        field(
            "bound",
            "string",
            "Whether the source says “more than”, “nearly”, or gives an estimate; empty: plain figure",
        ),
        field("source", "string", "Publication", required=True),
        field("url", "string", "Address", required=True),
    ],
    key=["year", "indicator"],
    sources=[
        {
            "publisher": "Press pages named in each row",
            "title": "China.org.cn (9 November 2017); China Daily via State Council Information Office (15 November 2017); Xinhua via DBW (18 November 2013); CHTF Organizing Committee (20 November 2017)",
        }
    ],
    licence="facts",
    vintage="2013–2017",
    kind="constructed",
    caveats=["Figures of the organisers. Those of 2017 were published before the fair."],
)
def chtf_fair(raw: Path) -> pd.DataFrame:
    org = (
        "China.org.cn (9 November 2017)",
        "http://china.org.cn/englishscio/chinavoices/2017-11/09/content_41866609.htm",
    )
    scio = (
        "China Daily via State Council Information Office (15 November 2017)",
        "http://english.scio.gov.cn/beltandroad/2017-11/15/content_41894941.htm",
    )
    dbw = ("Xinhua via DBW (18 November 2013, in Russian)", "https://russian.dbw.cn/system/2013/11/18/000770631.shtml")
    chtf = ("CHTF Organizing Committee (20 November 2017)", CHTF["path"])
    rows = [
        (2013, "exhibitors", 3000, "companies", "more than", *dbw),
        (2013, "countries and regions", 50, "countries", "more than", *dbw),
        (2013, "government delegations", 29, "delegations", None, *dbw),
        (2017, "exhibitors", 3000, "companies", "more than", *org),
        (2017, "countries of exhibitors", 30, "countries", "more than", *org),
        (2017, "visitors", 500000, "persons", "estimate before the fair", *scio),
        (2017, "area", 120000, "square metres", None, *org),
        (2017, "Russian institutions", 20, "institutions", "nearly", *chtf),
    ]
    return pd.DataFrame(rows, columns=["year", "indicator", "value", "unit", "bound", "source", "url"])


# --- series ---------------------------------------------------------------------------------------


@table(
    "arms-transfers",
    title="Arms delivered by the Soviet Union and Russia to China, 1950–2024",
    description="SIPRI's trend-indicator value (TIV) of deliveries, a volume index of military capability, summed to years.",
    fields=[
        year(1950, 2024),
        economy("supplier", "SUN (until 1991) or RUS"),
        economy("recipient", "CHN"),
        field("tiv_m", "number", "Trend-indicator value delivered", "million TIV", required=True, minimum=0),
    ],
    key=["year", "supplier"],
    sources=[SIPRI],
    licence="sipri",
    vintage="29 March 2025",
    kind="constructed",
    caveats=[
        "TIV is not money: it weighs what was delivered by its military use.",
        "The register gives the years of delivery of an order, not the number delivered each year: each order is spread evenly over them. Sums over many years are exact, single years are not.",
        "No row: no delivery is registered in that year (1969–1989).",
        "China's deliveries to Russia are in the register (two orders, 30 million TIV) and left out here.",
    ],
)
def arms_transfers(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/sipri_arms_transfers_rus_chn_1950_2024.csv")
    frame = frame[frame["recipient"] == "China"]
    years = frame["years_of_delivery"].astype(str).str.split("; ")
    frame = frame.assign(year=years, tiv_m=frame["tiv_delivered"] / years.str.len()).explode("year")
    frame["year"] = frame["year"].astype(int)
    frame["supplier"] = frame["supplier"].map({"Soviet Union": "SUN", "Russia": "RUS"})
    sums = frame.groupby(["year", "supplier"], as_index=False)["tiv_m"].sum().round(1)
    return sums[sums["tiv_m"] > 0].assign(recipient="CHN")


# Orders from Russia that the register says were assembled or produced in China, possibly or probably so in some
# cases: weapon and year of the order.
MADE_IN_CHINA = {
    ("Su-27S", 1996),
    ("Krasnopol-M", 1997),
    ("Kh-31A1", 1997),
    ("MGK-335MS Platina", 1998),
    ("9M119", 1998),
    ("MR-750 Fregat", 2001),
    ("Mineral", 2004),
    ("AK-176 76mm", 2004),
    ("MR-90 Orekh", 2004),
    ("AK-176 76mm", 2005),
    ("Mi-17", 2005),
    ("AK-176 76mm", 2010),
}
# Tried in this order: a word of the register's description of the weapon, and the kind that it stands for.
ARMS_KINDS = [
    ("turbofan", "aircraft engines"),
    ("missile", "missiles and torpedoes"),
    ("radar", "radars and sonars"),
    ("sonar", "radars and sonars"),
    ("SAM system", "air defence systems"),
    ("SAM", "missiles and torpedoes"),
    ("shell", "missiles and torpedoes"),
    ("torpedo", "missiles and torpedoes"),
    ("aircraft", "aircraft and helicopters"),
    ("helicopter", "aircraft and helicopters"),
    ("submarine", "ships"),
    ("destroyer", "ships"),
    ("naval gun", "naval guns"),
]


@table(
    "arms-forms",
    title="Arms delivered by Russia to China by kind and form, 1992–2024",
    description="SIPRI's trend-indicator value (TIV) of deliveries, summed to years, kinds of weapon, and whether they came finished, as parts for Chinese weapons, or were made in China.",
    fields=[
        year(1992, 2024),
        field("kind", "string", "Kind of weapon", required=True, enum=sorted({kind for _, kind in ARMS_KINDS})),
        field(
            "form",
            "string",
            "finished: delivered as such; made in China: assembled or produced there; parts: engines, radars and weapons for aircraft and ships built in China",
            required=True,
            enum=["finished", "made in China", "parts"],
        ),
        field("tiv_m", "number", "Trend-indicator value delivered", "million TIV", required=True, minimum=0),
    ],
    key=["year", "kind", "form"],
    sources=[SIPRI],
    licence="sipri",
    vintage="29 March 2025",
    kind="constructed",
    caveats=[
        "TIV is not money: it weighs what was delivered by its military use. Licences and drawings without deliveries have no TIV.",
        "The form is read from the register's comments. Orders that were possibly or probably made in China count as made in China, in full.",
        "Each order is spread evenly over its years of delivery: sums over many years are exact, single years are not.",
    ],
)
def arms_forms(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/sipri_arms_transfers_rus_chn_1950_2024.csv")
    frame = frame[(frame["recipient"] == "China") & (frame["supplier"] == "Russia")]
    orders = list(zip(frame["weapon_designation"], frame["year_of_order"].astype(int), strict=True))
    for_chinese = frame["comments"].fillna("").str.contains("produced in China")
    frame = frame.assign(
        kind=[next(kind for word, kind in ARMS_KINDS if word in text) for text in frame["weapon_description"]],
        form=[
            "made in China" if order in MADE_IN_CHINA else "parts" if parts else "finished"
            for order, parts in zip(orders, for_chinese, strict=True)
        ],
        year=frame["years_of_delivery"].astype(str).str.split("; "),
    )
    frame["tiv_m"] = frame["tiv_delivered"] / frame["year"].str.len()
    frame = frame.explode("year").astype({"year": int})
    return frame.groupby(["year", "kind", "form"], as_index=False)["tiv_m"].sum().round(1)


ISO3 = {
    "Brazil": "BRA",
    "China": "CHN",
    "France": "FRA",
    "Germany": "DEU",
    "Hong Kong SAR, China": "HKG",
    "India": "IND",
    "Japan": "JPN",
    "Kazakhstan": "KAZ",
    "Korea, Rep.": "KOR",
    "Malaysia": "MYS",
    "Mexico": "MEX",
    "Poland": "POL",
    "Russian Federation": "RUS",
    "Singapore": "SGP",
    "United Kingdom": "GBR",
    "United States": "USA",
    "Vietnam": "VNM",
}
CODES = {
    "rd_share_of_gdp": "GB.XPD.RSDV.GD.ZS",
    "patent_applications_residents": "IP.PAT.RESD",
    "patent_applications_nonresidents": "IP.PAT.NRES",
}


@table(
    "research-2021",
    title="Research spending and patent applications as published in 2021, 1990–2019",
    description="The World Development Indicators that an author of 2021 had: research and development as a share of GDP, patent applications of residents and non-residents.",
    fields=[
        economy("iso3", "Economy"),
        year(1990, 2019),
        field("indicator", "string", "World Bank code, as in table wdi", required=True, enum=list(CODES.values())),
        field(
            "value", "number", "Value in the unit of the indicator", "see wdi-indicators.unit", required=True, minimum=0
        ),
    ],
    key=["indicator", "iso3", "year"],
    sources=[WDI_2021],
    licence="cc-by-4.0",
    vintage="2021",
    kind="snapshot",
    caveats=[
        "Seventeen economies. Research spending ends in 2018, patents in 2019.",
        "China's share of 2018 is 2.19 per cent here and 2.10 per cent in table wdi, because its GDP was revised upwards since: never join the two.",
    ],
    references={"iso3": "economies.iso3", "indicator": "wdi-indicators.indicator"},
)
def research_2021(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "hightech/worldbank_science_technology.csv", dtype={"year": str})
    frame = frame[frame["indicator"].isin(CODES) & frame["entity"].isin(ISO3)]
    return pd.DataFrame(
        {
            "iso3": frame["entity"].map(ISO3),
            "year": frame["year"].astype(int),
            "indicator": frame["indicator"].map(CODES),
            "value": frame["value"],
        }
    )


PATENT_ISO3 = {
    "World": "WLD",
    "United States": "USA",
    "Brazil": "BRA",
    "United Kingdom": "GBR",
    "Finland": "FIN",
    "France": "FRA",
    "Germany": "DEU",
    "Netherlands": "NLD",
    "Sweden": "SWE",
    "Russia": "RUS",
    "Switzerland": "CHE",
    "China (incl. Hong Kong)": "CHN",
    "India": "IND",
    "Japan": "JPN",
    "South Korea": "KOR",
    "Taiwan": "TWN",
    "Israel": "ISR",
}


@table(
    "patents-abroad",
    title="Patents that reach beyond the home office, 2000–2022",
    description="Applications under the Patent Cooperation Treaty (PCT) by residence of the applicant, and utility patents granted by the US office by residence of the inventor.",
    fields=[
        economy("iso3", "Economy of the applicant or inventor, or WLD"),
        year(2000, 2022),
        field(
            "indicator",
            "string",
            "pct_applications or uspto_grants",
            required=True,
            enum=["pct_applications", "uspto_grants"],
        ),
        field("value", "number", "Number", "patents (fractional counts)", required=True, minimum=0),
    ],
    key=["indicator", "iso3", "year"],
    sources=[NCSES],
    licence="public-domain",
    vintage="Science and Engineering Indicators 2024",
    kind="verbatim",
    caveats=[
        "China includes Hong Kong.",
        "The copy that was read had lost its year labels: years were assigned by position. For PCT the printed row total equals the sum of the values, and China 2017–2022 lies within 4 per cent of WIPO's figures.",
    ],
)
def patents_abroad(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "hightech/ncses_patents_by_economy.csv", dtype={"year": str})
    frame = frame[frame["year"].str.fullmatch(r"\d{4}") & frame["entity"].isin(PATENT_ISO3)]
    indicator = frame["indicator"].replace({"uspto_utility_patents_granted": "uspto_grants"})
    return pd.DataFrame(
        {
            "iso3": frame["entity"].map(PATENT_ISO3),
            "year": frame["year"].astype(int),
            "indicator": indicator,
            "value": frame["value"],
        }
    )
