"""Plain pandas readers of the raw deliveries: one table per register, in words that the definitions use.

Every table has a column `year` (the year of the reference day, of the calendar year or of the school year's
start), the areas its rows belong to, and the characteristics that the figures are broken down by.
"""

import io
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

CITY = "07111"
STADTTEILE = [
    "Altstadt", "Mitte", "Süd", "Oberwerth", "Karthause Nord", "Karthäuserhofgelände", "Karthause Flugfeld",
    "Goldgrube", "Rauental", "Moselweiß", "Stolzenfels", "Lay", "Lützel", "Neuendorf", "Wallersheim",
    "Kesselheim", "Bubenheim", "Metternich", "Rübenach", "Güls", "Ehrenbreitstein", "Niederberg",
    "Asterstein", "Pfaffendorf", "Pfaffendorfer Höhe", "Horchheim", "Horchheimer Höhe", "Arzheim", "Arenberg",
    "Immendorf",
]  # fmt: skip
OTHER_SPELLINGS = {
    "Stadtmitte": "Mitte", "Vorstadt": "Süd", "Moselweiss": "Moselweiß", "Metternich 1": "Metternich",
    "Metternich 2": "Metternich", "Rübenach 1": "Rübenach", "Rübenach 2": "Rübenach",
    "Güls 1": "Güls", "Güls 2": "Güls",
}  # fmt: skip
# The Ortsbezirke and the (first) Stadtteil of each: Arenberg and Immendorf form one.
ORTSBEZIRKE = {
    "Stolzenfels": "Stolzenfels", "Lay": "Lay", "Kesselheim": "Kesselheim", "Bubenheim": "Bubenheim",
    "Rübenach": "Rübenach", "Güls": "Güls", "Arzheim": "Arzheim",
    "Arenberg": "Arenberg", "Immendorf": "Arenberg",
}  # fmt: skip
SEX = {"m": "male", "w": "female", "d": "diverse", "1": "male", "2": "female", "3": "diverse"}
SEX |= {"A1": "male", "A2": "female", "A3": "diverse"}
SCHOOL_TYPES = {
    "GS": "SCHULE03", "RSP": "SCHULE06", "GYM": "SCHULE08", "IGS": "SCHULE09", "FOES": "SCHULE11",
    "KOLL": "SCHULE28", "BBS": "SCHULE17",
}  # fmt: skip
# The code list says: SCHULE22 Fachoberschulen, SCHULE23 Berufliche Gymnasien, SCHULE24 Berufsoberschulen.
VOCATIONAL_FORMS = {
    "BS": "SCHULE17", "BVJ": "SCHULE171", "BF": "SCHULE21", "FOS": "SCHULE22", "BGY": "SCHULE23",
    "BOS": "SCHULE24", "FS": "SCHULE25",
}  # fmt: skip
QUALIFICATIONS = {"oBR": "BILABS11", "BR": "BILABS12", "QSI": "BILABS13", "FHR": "BILABS14", "HR": "BILABS15"}
PROGRAMMES = ["society", "culture", "health", "languages", "work", "basic_education", "school_leaving"]
FIELDS_OF_ACTION = {
    "Individuelle Förderung": "individual_support",
    "Neuzugewanderte": "newcomers",
    "Inklusion": "inclusion",
    "Schulentwicklung": "school_development",
    "Kulturelle und politische Bildung": "cultural_and_political_education",
    "Digitale Bildung": "digital_education",
    "Übergänge": "transitions",
    "Hochschulen": "universities",
}
CHAMBERS = {"IH": "chamber_industry", "HW": "chamber_crafts", "SO": "chamber_other"}
PRODUCT_AREAS = {"21-24": "area_schools", "25-29": "area_culture", "36": "area_youth"}


class Deliveries:
    """The deliveries of one city: `city` is the folder that holds drops/<register>/drop/<file>."""

    def __init__(self, city: Path) -> None:
        self.drops = city / "drops"
        self.block_sides = self.block_side_areas()

    def files(self, register: str) -> list[Path]:
        """The files of a register, oldest first."""
        return sorted((self.drops / register / "drop").iterdir())

    def read(self, register: str, one_file) -> pd.DataFrame:
        """All files of a register below each other, with the reference day of the file's name."""
        tables = []
        for file in self.files(register):
            table = one_file(file)
            table["reference_day"] = pd.Timestamp(file.stem.rsplit("_", 1)[1])
            tables.append(table)
        rows = pd.concat(tables, ignore_index=True)
        rows["year"] = rows["reference_day"].dt.year
        return rows

    def csv(self, register: str, encoding: str = "utf-8", columns: list[str] | None = None) -> pd.DataFrame:
        """A register of files separated by semicolons; every value is a text."""
        options = {
            "sep": ";",
            "dtype": str,
            "encoding": encoding,
            "keep_default_na": False,
            "usecols": columns,
        }
        return self.read(register, lambda file: pd.read_csv(file, **options))

    def fixed_width(self, register: str, columns: dict[str, int]) -> pd.DataFrame:
        """A register of lines with columns of fixed width; `columns` gives the name and width of each."""
        ends = pd.Series(columns).cumsum()
        places = {name: slice(end - columns[name], end) for name, end in ends.items()}

        def one_file(file: Path) -> pd.DataFrame:
            lines = pd.Series(file.read_text(encoding="cp1252").splitlines())
            return pd.DataFrame({name: lines.str[place].str.strip() for name, place in places.items()})

        return self.read(register, one_file)

    def workbook(self, register: str, header_row: int = 1) -> pd.DataFrame:
        """A register of Excel files; the names of the columns stand in `header_row`."""
        options = {"engine": "openpyxl", "dtype": str, "header": header_row - 1, "keep_default_na": False}
        return self.read(register, lambda file: pd.read_excel(file, **options))

    def survey(self, register: str) -> pd.DataFrame:
        """A register of exported surveys: ZIP files with answers.csv inside."""

        def one_file(file: Path) -> pd.DataFrame:
            answers = zipfile.ZipFile(file).read("answers.csv")
            return pd.read_csv(io.BytesIO(answers), dtype=str, encoding="utf-8-sig", keep_default_na=False)

        rows = self.read(register, one_file)
        rows["year"] = school_year(rows["reference_day"])
        return rows

    def block_side_areas(self) -> pd.DataFrame:
        """For each block side and year the areas it lies in."""
        sides = self.csv("block_sides")
        areas = pd.DataFrame({"year": sides["year"], "block_side": sides["Blockseite"]})
        areas["city_district"] = stadtteil(sides["Stadtteil"])
        areas["local_district"] = ortsbezirk(sides["Stadtteil"])
        areas["statistical_district"] = f"{CITY}-SB" + sides["Statistischer Bezirk"]
        areas["school_district"] = f"{CITY}-SD" + sides["Schulbezirk"]
        areas["planning_district"] = f"{CITY}-PB" + sides["Planungsbezirk"]
        assert not areas.duplicated(["year", "block_side"]).any(), (
            "a block side lies in one area of each kind"
        )
        return areas

    def at_block_side(
        self, rows: pd.DataFrame, block_side: pd.Series, list_of: pd.Series | int
    ) -> pd.DataFrame:
        """The rows with the areas of their block sides, by the list of block sides of the year `list_of`."""
        placed = rows.assign(block_side=block_side, list_year=list_of)
        areas = self.block_sides.rename(columns={"year": "list_year"})
        placed = placed.merge(areas, on=["list_year", "block_side"], how="left")
        unknown = {"city_district": "ST00", "local_district": "OB00", "statistical_district": "SB00"}
        unknown |= {"school_district": "SD00", "planning_district": "PB00"}
        return placed.fillna({column: f"{CITY}-{code}" for column, code in unknown.items()})

    # The people of the register of residents

    def residents(self) -> pd.DataFrame:
        """Everybody with the main residence in the city on 31.12."""
        raw = self.csv(
            "residents",
            "cp1252",
            [
                "Geburtsdatum",
                "Geschlecht",
                "Staatsangehörigkeit",
                "Migrationshintergrund",
                "Haushalt",
                "Blockseite",
                "Wohnstatus",
            ],
        )
        raw = raw[raw["Wohnstatus"] == "H"]
        people = person(raw, raw["reference_day"])
        people["has_migration_background"] = raw["Migrationshintergrund"] == "J"
        people["household"] = raw["Haushalt"]
        return self.at_block_side(people, raw["Blockseite"], people["year"])

    def households(self, residents: pd.DataFrame) -> pd.DataFrame:
        """One row for each household of residents, at the place where its members live."""
        people = residents.assign(children=residents["age"] < 18, adults=residents["age"] >= 18)
        households = people.groupby(["year", "household", "city_district"], as_index=False)[
            ["children", "adults"]
        ].sum()
        households["has_children"] = households["children"] > 0
        households["is_single_parent"] = households["has_children"] & (households["adults"] == 1)
        return households

    def moves(self) -> pd.DataFrame:
        """Arrivals at and departures from an area; a move within the city is one of each."""
        raw = self.fixed_width(
            "resident_movements",
            {"event": 2, "day": 8, "person": 12, "birth": 8, "Geschlecht": 1, "Staatsangehörigkeit": 3}
            | {"to": 7, "other_area": 8, "name": 31, "from": 7},
        )
        day = pd.to_datetime(raw["day"], format="%Y%m%d")
        raw = raw.assign(Geburtsdatum=raw["birth"])
        people = person(raw, day).assign(year=day.dt.year, event=raw["event"])
        within = people["event"] == "UM"
        came = people["event"].isin(["ZU", "UM"])
        left = people["event"].isin(["WE", "UM"])
        origin = raw["from"].where(within, raw["to"])  # who leaves the city did live at the block side named
        arrivals = self.at_block_side(people[came], raw["to"][came], people["year"][came])
        departures = self.at_block_side(people[left], origin[left], people["year"][left])
        return pd.concat(
            [arrivals.assign(direction="in"), departures.assign(direction="out")], ignore_index=True
        )

    # Early childhood

    def day_care_children(self) -> pd.DataFrame:
        """The children in day-care centres on 01.03."""
        raw = self.csv("day_care_children")
        children = person(raw, raw["reference_day"])
        children["child"] = raw["Kind"].str[2:]
        children["hours"] = number(raw["Stunden"])
        children["speaks_german_at_home"] = raw["Familiensprache Deutsch"] == "J"
        return self.at_block_side(children, raw["Blockseite"], children["year"] - 1)

    def children_with_childminders(self) -> pd.DataFrame:
        """The children with childminders on 01.03."""
        raw = self.csv("childminders")
        children = person(raw, raw["reference_day"]).assign(child=raw["Kind"].str[2:])
        return self.at_block_side(children, raw["Blockseite"], children["year"] - 1)

    def day_care_centres(self) -> pd.DataFrame:
        """The day-care centres and their approved places on 01.03."""
        raw = self.csv("day_care_centres")
        return raw.assign(city_district=stadtteil(raw["Stadtteil"]), places=number(raw["Plätze"]))

    def school_entry_examinations(self) -> pd.DataFrame:
        """The examinations of children before they enter school."""

        def one_file(file: Path) -> pd.DataFrame:
            answers = []
            for entry in json.loads(file.read_text(encoding="utf-8"))["entry"]:
                sheet = entry["resource"]
                values = {item["linkId"]: item["answer"] for item in sheet["item"] if item.get("answer")}
                answers.append(
                    {question: next(iter(given[0].values())) for question, given in values.items()}
                )
                answers[-1]["authored"] = sheet["authored"]
            return pd.DataFrame(answers)

        raw = self.read("school_entry_examination", one_file)
        names = {"geburtsdatum": "Geburtsdatum", "geschlecht": "Geschlecht", "1.4": "Staatsangehörigkeit"}
        day = pd.to_datetime(raw["authored"])
        children = person(raw.rename(columns=names), day).assign(year=day.dt.year)
        children["day_care_years"] = pd.to_numeric(raw["4.0b"])
        children["speaks_german_at_home"] = raw["6.1"] == "ja"
        children["finding"] = raw["befund.sprache"]
        children["measles"] = raw["masern"]
        children["check_ups"] = raw["u8u9"]
        return self.at_block_side(children, raw["blockseite"], children["year"])

    # Schools

    def schools(self) -> pd.DataFrame:
        """The school directory: one row for each school and school type, without closed schools."""
        raw = self.workbook("schools", header_row=3)
        raw = raw[raw["geschlossen"] == ""]
        return raw.assign(
            year=school_year(raw["reference_day"]),
            school=school(raw["Schulnummer"]),
            school_type=raw["Schulart"].map(SCHOOL_TYPES),
            city_district=stadtteil(raw["Stadtteil"]),
        )

    def pupils(self) -> pd.DataFrame:
        """The pupils of the general schools in autumn."""
        raw = self.csv("pupils")
        pupils = person(raw, raw["reference_day"])
        pupils["school"] = school(raw["Schulnummer"])
        pupils["school_type"] = raw["Schulart"].map(SCHOOL_TYPES)
        pupils["level"] = raw["Jahrgangsstufe"].astype(int)
        pupils["lives_outside"] = raw["Wohnort"].str[:5] != CITY
        for column, name in {"Ganztag": "all_day", "Förderbedarf": "special_needs"}.items():
            pupils[name] = raw[column] == "1"
        pupils["speaks_german_at_home"] = raw["Familiensprache Deutsch"] == "1"
        return pupils

    def classes(self) -> pd.DataFrame:
        """The classes of the general schools in autumn."""
        raw = self.csv("classes")
        return raw.assign(
            school=school(raw["Schulnummer"]),
            school_type=raw["Schulart"].map(SCHOOL_TYPES),
            level=raw["Jahrgangsstufe"].astype(int),
        )

    def school_movements(self) -> pd.DataFrame:
        """Entries, changes, repetitions and leavers; leavers of an autumn belong to the year before."""
        raw = self.csv("school_movements")
        moves = person(raw, raw["reference_day"])
        moves["event"] = raw["Ereignis"]
        moves["school"] = school(raw["Schulnummer"])
        moves["school_type"] = raw["Zielschulart"].map(SCHOOL_TYPES)
        moves["qualification"] = raw["Abschluss"].map(QUALIFICATIONS)
        moves["age_on_31_august"] = ages(
            raw["Geburtsdatum"], pd.to_datetime(moves["year"].astype(str) + "-08-31")
        )
        day = pd.to_datetime(raw["Datum"])
        moves["year"] = school_year(day).where(moves["event"] != "AUS", day.dt.year - 1)
        return moves

    def of_schools(self, register: str, encoding: str = "utf-8", workbook: bool = False) -> pd.DataFrame:
        """A register of schools in autumn, with the area code of each school."""
        raw = self.workbook(register) if workbook else self.csv(register, encoding)
        return raw.assign(school=school(raw["Schulnummer"]))

    def vocational_pupils(self) -> pd.DataFrame:
        """The pupils of the vocational schools in autumn."""
        raw = self.csv("vocational_pupils", "cp1252")
        pupils = person(raw, raw["reference_day"]).assign(
            school=school(raw["Schulnummer"]), form=raw["Schulform"]
        )
        return pupils.assign(school_type=pupils["form"].map(VOCATIONAL_FORMS))

    # Other offices

    def music_school_lessons(self) -> pd.DataFrame:
        """The lessons at the music school: one row for each pupil and subject."""

        def one_file(file: Path) -> pd.DataFrame:
            rows = open_document_rows(file)
            return pd.DataFrame(rows[1:], columns=rows[0])

        raw = self.read("music_school", one_file)
        lessons = pd.DataFrame({"year": raw["year"], "pupil": raw["Schüler-Nr"]})
        lessons["age"] = ages(raw["Geburtsdatum"], raw["reference_day"])
        lessons["hours"] = number(raw["Jahreswochenstunden"])
        lessons["lives_in_city"] = raw["Wohnort Stadtteil"] != ""
        lessons["city_district"] = stadtteil(raw["Wohnort Stadtteil"])
        return lessons

    def youth_welfare(self) -> pd.DataFrame:
        """The socio-educational services, and whether they ran in the year or ended in it."""
        raw = self.fixed_width(
            "youth_welfare",
            {"case": 10, "child": 10, "Geburtsdatum": 8, "Geschlecht": 1, "kind": 2, "start": 8, "end": 8}
            | {"block_side": 7, "name": 16},
        )
        services = person(raw.assign(Staatsangehörigkeit=""), raw["reference_day"])
        year = services["year"].astype(str)
        services["in_the_year"] = (raw["start"] <= year + "1231") & (
            (raw["end"] == "") | (raw["end"] >= year + "0101")
        )
        return self.at_block_side(services, raw["block_side"], services["year"])

    def of_stadtteile(self, register: str, encoding: str = "utf-8") -> pd.DataFrame:
        """A register of Stadtteile, its columns of numbers as numbers."""
        raw = self.csv(register, encoding)
        return numbers(raw).assign(city_district=stadtteil(raw["Stadtteil"]))


def tables_of(city: Path) -> dict[str, pd.DataFrame]:
    """Every table that the definitions count, by name."""
    read = Deliveries(city)
    tables = {name: getattr(read, name)() for name in (
        "residents", "moves", "day_care_children", "children_with_childminders", "day_care_centres",
        "school_entry_examinations", "schools", "pupils", "classes", "school_movements", "vocational_pupils",
        "music_school_lessons", "youth_welfare",
    )}  # fmt: skip
    tables["households"] = read.households(tables["residents"])
    cared_for = pd.concat(
        [tables["day_care_children"], tables["children_with_childminders"]], ignore_index=True
    )
    tables["children_in_care"] = cared_for.drop_duplicates(["year", "child"])
    tables["music_school_pupils"] = tables["music_school_lessons"].drop_duplicates(["year", "pupil"])
    tables["grades"] = tables["classes"].drop_duplicates(["year", "school", "level"])
    for register in ("employment_agency_districts", "education_package", "holiday_programme"):
        tables[register] = read.of_stadtteile(register)
    tables["youth_work"] = read.of_stadtteile("youth_work", "cp1252")
    tables["youth_work_offers"] = tables["youth_work"].drop_duplicates(["year", "Angebot"])
    for register in ("newcomer_pupils", "school_social_work", "teaching_staff", "learning_materials"):
        tables[register] = numbers(read.of_schools(register))
    for register in ("after_school_care", "school_rooms"):
        tables[register] = numbers(read.of_schools(register, workbook=True))
    for register in ("survey_all_day", "survey_leavers"):
        answers = read.survey(register)
        tables[register] = answers.assign(school=school(answers["schule"]))
    leavers = tables["survey_leavers"]
    leavers["sex"] = leavers["geschlecht"].map(SEX)
    for register in ("social_office", "sports_clubs", "student_grants", "integration_courses", "universities",
                     "training_market", "training_contracts", "municipal_accounts"):  # fmt: skip
        tables[register] = numbers(read.csv(register))
    # The WHU lies in Vallendar.
    universities = tables["universities"]
    tables["universities_in_the_city"] = universities[universities["Hochschule"] != "WHU"]
    tables["social_office"]["sex"] = tables["social_office"]["Geschlecht"].map(SEX)
    tables["training_contracts"]["category"] = tables["training_contracts"]["Zuständigkeit"].map(CHAMBERS)
    tables["municipal_accounts"]["category"] = tables["municipal_accounts"]["Produktbereich"].map(
        PRODUCT_AREAS
    )
    tables["library"] = numbers(read.workbook("library"))
    tables["museums"] = numbers(read.csv("museums", "cp1252"))
    courses = numbers(read.csv("adult_education", "cp1252"))
    courses["category"] = [
        "programme_" + PROGRAMMES[int(number) - 1] for number in courses["Programmbereich"]
    ]
    tables["adult_education"] = courses
    measures = read.workbook("measures_and_projects", header_row=2)
    measures["category"] = "field_" + measures["Handlungsfeld"].map(FIELDS_OF_ACTION)
    tables["measures"] = measures
    return {name: table.assign(district=CITY) for name, table in tables.items()}


def person(raw: pd.DataFrame, reference_day: pd.Series) -> pd.DataFrame:
    """The year, age, sex and nationality of each person of a delivery."""
    return pd.DataFrame(
        {
            "year": raw["year"],
            "age": ages(raw["Geburtsdatum"], reference_day),
            "sex": raw["Geschlecht"].map(SEX),
            "nationality": raw.get("Staatsangehörigkeit", pd.Series("", index=raw.index))
            .eq("000")
            .map({True: "german", False: "foreign"}),
        }
    )


def ages(birth: pd.Series, reference_day: pd.Series) -> pd.Series:
    """Completed years on the reference day; births are 31.12.2020, 2020-12-31 or 20201231."""
    if birth.str[2].eq(".").any():
        digits = birth.str[6:10] + birth.str[3:5] + birth.str[:2]
    else:
        digits = birth.str.replace("-", "")
    day = reference_day.dt.year * 10_000 + reference_day.dt.month * 100 + reference_day.dt.day
    return (day - digits.astype(int)) // 10_000


def number(texts: pd.Series) -> pd.Series:
    """Numbers with a decimal comma or a decimal point."""
    return pd.to_numeric(texts.str.replace(",", "."))


def numbers(raw: pd.DataFrame) -> pd.DataFrame:
    """The delivery with those columns as numbers that hold nothing else."""
    table = raw.copy()
    for column in table.columns.drop(["year", "reference_day", "school"], errors="ignore"):
        if table[column].str.fullmatch(r"\d+([.,]\d+)?").all():
            table[column] = number(table[column])
    return table


def school_year(day: pd.Series) -> pd.Series:
    """The year in which the school year of a day began (on 1 August)."""
    return day.dt.year - (day.dt.month < 8)


def school(numbers_of_schools: pd.Series) -> pd.Series:
    """The area codes of schools."""
    return f"{CITY}-S" + numbers_of_schools


def stadtteil(names: pd.Series) -> pd.Series:
    """The area codes of Stadtteile; ST00 stands for a place that is not known."""
    codes = {name: f"{CITY}-ST{place:02}" for place, name in enumerate(STADTTEILE, start=1)}
    return names.replace(OTHER_SPELLINGS).map(codes).fillna(f"{CITY}-ST00")


def ortsbezirk(names: pd.Series) -> pd.Series:
    """The area codes of Ortsbezirke, numbered like their (first) Stadtteil; OB00 is the rest of the city."""
    return stadtteil(names.map(ORTSBEZIRKE)).str.replace("-ST", "-OB")


def open_document_rows(file: Path) -> list[list[str]]:
    """The rows of the only sheet of an ODS file, as texts."""
    office = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
    content = ElementTree.fromstring(zipfile.ZipFile(file).read("content.xml"))
    rows = []
    for row in content.iter(f"{office}table-row"):
        cells = []
        for cell in row.iter(f"{office}table-cell"):
            cells += ["".join(cell.itertext())] * int(cell.get(f"{office}number-columns-repeated", 1))
        rows.append(cells)
    width = len(rows[0])
    return [(cells + [""] * width)[:width] for cells in rows if any(cells)]
