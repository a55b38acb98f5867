"""Names and words of the demo; all organisations and people are made up."""

# ruff: noqa: E501 - tables read best with a row a line

# reference, name, kind, country, city, domain, zone, latitude, longitude
PARTNERS = [
    ("north", "North Systems AS", "distributor", "NO", "Oslo", "north.example", "Europe/Oslo", 59.91, 10.75),
    ("harbour", "Harbour Trading B.V.", "distributor", "NL", "Rotterdam", "harbour.example", "Europe/Amsterdam", 51.92, 4.48),
    ("fixit", "Fix-It Instrument Service", "repair_station", "SE", "Malmö", "fixit.example", "Europe/Stockholm", 55.60, 13.00),
    ("pacific", "Pacific Repair Inc.", "repair_station", "US", "Seattle", "pacific.example", "America/Los_Angeles", 47.61, -122.33),
    ("rhein", "Rhein-Ruhr Messtechnik GmbH", "reseller", "DE", "Essen", "rheinruhr.example", "Europe/Berlin", 51.46, 7.01),
    ("hengce", "上海恒测仪器有限公司", "distributor", "CN", "上海", "hengce.example", "Asia/Shanghai", 31.23, 121.47),
]  # fmt: skip
# e-mail, name, role, partner, language, zone
PEOPLE = [
    ("admin@vendor.example", "Ada Berg", "administrator", None, None, "Europe/Oslo"),
    ("channel@vendor.example", "Ingrid Moen", "channel_manager", None, None, "Europe/Oslo"),
    ("service@vendor.example", "Sofie Lund", "service_manager", None, None, "Europe/Oslo"),
    ("marketing@vendor.example", "Jonas Weber", "marketing", None, None, "Europe/Oslo"),
    ("owner@north.example", "Elin Bergström", "partner_admin", "north", None, "Europe/Oslo"),
    ("sales@north.example", "Nils Aker", "partner_sales", "north", None, "Europe/Oslo"),
    ("owner@harbour.example", "Pieter de Vries", "partner_admin", "harbour", None, "Europe/Amsterdam"),
    ("bench@fixit.example", "Johan Olsson", "technician", "fixit", None, "Europe/Stockholm"),
    ("bench@pacific.example", "Mei Tanaka", "technician", "pacific", None, "America/Los_Angeles"),
    ("lin@club.example", "林晓雯", "member", None, None, "Europe/Oslo"),
    ("marta@club.example", "Marta Nowak", "member", None, None, "Europe/Warsaw"),
]  # fmt: skip
# sku, name, family, list price in EUR, months of warranty
PRODUCTS = [
    ("HX-900", "HX-900 spectrometer", "Spectrometers", "18400.00", 24),
    ("HX-300", "HX-300 field spectrometer", "Spectrometers", "7900.00", 24),
    ("PT-40", "PT-40 probe", "Probes", "640.00", 12),
    ("FM-12", "FM-12 flow meter", "Flow meters", "2150.00", 36),
    ("FM-20", "FM-20 flow meter, stainless", "Flow meters", "3980.00", 36),
    ("CK-5", "CK-5 calibration kit", "Calibration", "1120.00", 12),
]
# name, country, domain, tax id
CUSTOMERS = [
    ("Statkraft Labor AS", "NO", "statkraftlabor.example", None),
    ("Uppsala Akademiska sjukhus", "SE", "uppsala-as.example", None),
    ("Kemira Testing Oyj", "FI", "kemiratest.example", None),
    ("Port of Gdańsk Authority", "PL", "portgdansk.example", "PL5830000000"),
    ("Robert Koch Klinik Bochum", "DE", "rkk-bochum.example", None),
    ("Comune di Bergamo", "IT", "bergamo.example", None),
    ("Vitens Lab N.V.", "NL", "vitenslab.example", None),
    ("Nordzucker Analytik AG", "DE", "nz-analytik.example", None),
    ("Skellefteå Kraft Mätning AB", "SE", "skkraft.example", None),
    ("Lunds universitet, Fysiska institutionen", "SE", "fysik-lund.example", None),
    ("Aguas de Valencia Control, S.A.", "ES", "avcontrol.example", None),
    ("浙江蓝海光电股份有限公司", "CN", "lanhai-opto.example", "91330108MA2KE7X41B"),
    ("苏州瑞霖生物科技有限公司", "CN", "ruilin-bio.example", None),
    ("Elektrownia Opole Pomiary", "PL", "opole-pomiary.example", None),
    ("University of Ljubljana, Faculty of Chemistry and Chemical Technology", "SI", "ul-fkkt.example", None),
    ("Stadtwerke Graz Labor", "AT", "swgraz.example", None),
    ("Göteborgs Hamn Miljö", "SE", "gbghamn.example", None),
    ("Hamburg Kältetechnik Verbund GmbH", "DE", "hhkaelte.example", None),
    ("Bergen Vann KF", "NO", "bergenvann.example", None),
    ("Borealis Water AB", "SE", "borealiswater.example", None),
    ("青岛海源水务有限公司", "CN", "haiyuan-water.example", None),
    ("Pohjola Terveys Oy", "FI", "pohjolaterveys.example", None),
    ("Tallinna Vesi Labor AS", "EE", "tvlabor.example", None),
]  # fmt: skip
# the customer's words, what was done
PROBLEMS = [
    ("Reads 3 nm too high after an hour.", "Grating re-aligned, calibrated."),
    ("Lamp does not strike.", "Lamp driver replaced."),
    ("No signal from the probe.", "Connector soldered, cable tested."),
    ("Display stays dark although it starts.", "Backlight replaced."),
    ("Flow reading jumps when the pump starts.", "Shielding mended, firmware updated."),
    ("Fell from the bench; housing cracked.", "Housing and seals replaced."),
    ("仪器无法开机。", "更换电源模块，测试正常。"),
    ("Schaltet sich nach zehn Minuten aus; Lüfter läuft nicht.", "Lüfter ersetzt."),
]
RETURNS = [
    "Please add a dated note of the visit.",
    "Which department buys? Please name a contact.",
    "The quantity does not fit the amount; please check.",
]
