"""Words of a fixed list: of descriptions, of makers, and of what shows a head. Everything else is dropped."""

from __future__ import annotations

import re
from collections.abc import Collection

_KNOWN_WORDS = """
    abdomen abdominal adrenal angio angiogram angiography ankle ap arm arterial artery aorta axial axilla barium
    base bilateral biopsy bladder body bone bowel brain breast bronchus c+ calcium calf cardiac carotid cavity cc
    cerebral cerebellum cervical chest cine circle clavicle coil colon computed contrast coronal coronary cor
    cranial cranium craneo cta ctpa ct cxr cystic decubitus delayed delay detail diagnostic diffusion digital direct
    dixon doppler dual dwi dx dynamic early elbow enhanced erect esophagus excretory expiration extremity eye face
    facial fat fatsat femur field finger flair flash follow foot forearm frontal full fundus gallbladder gated
    gradient guided hand head heart hepatic high hip humerus iliac image images infant inner inspiration iv joint
    jaw kidney knee kub larynx lat lateral late leg left ligament limited liver localizer low lower lumbar lung
    lungs mammo mammogram mammography mandible maxilla mediastinum medial mg mip mlo mm mpr mr mra mri mrv nasal
    native neck neuro non noncontrast oblique of optic orbit orbits ovary pa pancreas panoramic paranasal pelvic
    pelvis perfusion pet phase plain plus portable portal post posterior pre pregnancy prone prostate proton
    pulmonary qc radiograph radiography rectum recon renal resolution retina rib ribs right routine sacrum sagittal
    sag scan scaphoid scapula scout screening se segmentation series shoulder sinus sinuses skin skull soft spin
    spine spiral spleen standard standing stereo sternum stir stomach study supine supraclavicular survey swi swan
    t1 t1w t2 t2w t2* pd pdw temporal testis thigh thin thick thoracic thoracoabdominal thorax thumb thyroid tibia
    tissue toe tof tomo tomography tomosynthesis trace adc trachea transversal transverse tra tse turbo two
    ultrasound unilateral up upper upright ureter urinary us uterus vascular vein venous view views volume water
    weighted whole window with without wo w wrist x xray ray epi fse gre mprage space vibe haste trufi bold asl
    abdomino becken bein brust brustkorb ganzkörper gehirn hals hüfte kopf knie leber lunge nativ niere schulter
    schädel wirbelsäule cerveau crâne genou poumon rachis tête torace testa cabeza cráneo cerebro tórax rodilla
    pecho columna tronco
"""
_KNOWN = frozenset(_KNOWN_WORDS.split())

_HEAD_WORDS = """
    head brain skull face facial sinus sinuses orbit orbits maxilla mandible jaw cranial cranium cerebral neuro neck
    headneck paranasal nasal nose iac tmj dental teeth cephalo mprage wholebody kopf schädel gehirn hirn gesicht
    hals neurocranium nnh crane crâne cerveau tête encephale encéphale testa cranio encefalo cabeza cráneo craneo
    cerebro hoofd hersenen schedel
"""
_HEAD = frozenset(_HEAD_WORDS.split())

_ELSEWHERE_WORDS = """
    abdomen abdominal adrenal ankle aorta arm bladder breast calf cardiac chest clavicle colon coronary
    coronaryartery elbow extremity femur finger foot forearm gallbladder hand heart hepatic hip humerus kidney knee
    leg liver lspine lumbar lung lungs mammo mammography pancreas pelvic pelvis prostate pulmonary rectum renal rib
    ribs sacrum shoulder spleen sternum testis thigh thoracic thorax thumb tibia toe tspine uterus wrist lunge leber
    becken knie niere thorakal abdomenpelvis chestabdomen chestabdpelvis
"""
_ELSEWHERE = frozenset(_ELSEWHERE_WORDS.split())

_MAKERS = {
    "siemens": "SIEMENS",
    "ge": "GE MEDICAL SYSTEMS",
    "philips": "Philips",
    "toshiba": "TOSHIBA",
    "canon": "Canon",
    "hologic": "HOLOGIC, Inc.",
    "lorad": "LORAD",
    "fuji": "FUJIFILM Corporation",
    "fujifilm": "FUJIFILM Corporation",
    "agfa": "Agfa",
    "carestream": "Carestream",
    "kodak": "KODAK",
    "konica": "KONICA MINOLTA",
    "hitachi": "Hitachi",
    "samsung": "SAMSUNG",
    "shimadzu": "SHIMADZU",
    "mindray": "Mindray",
    "neusoft": "Neusoft",
    "uih": "UIH",
    "bruker": "Bruker",
    "esaote": "ESAOTE",
    "planmed": "Planmed",
    "ims": "IMS",
    "sectra": "Sectra",
    "varian": "Varian",
    "elscint": "Elscint",
    "picker": "Picker",
    "marconi": "Marconi",
    "acuson": "ACUSON",
    "aloka": "ALOKA",
    "zeiss": "Carl Zeiss Meditec",
    "topcon": "TOPCON",
    "heidelberg": "Heidelberg Engineering",
    "olympus": "OLYMPUS",
    "pentax": "PENTAX",
    "hamamatsu": "Hamamatsu",
    "aperio": "Aperio",
    "vidar": "VIDAR",
    "lumisys": "LUMISYS",
}

_WORD = re.compile(r"[^\W\d_]+\d?\*?\+?|\d+(?:[.,]\d+)?", re.UNICODE)
_LENGTH = re.compile(r"\d{1,2}(?:[.,]\d{1,2})?")
_LONGEST = 64


def known_words(text: str, but: Collection[str] = ()) -> str:
    """The known words of a description in their order; a number stays only as a length, before ``mm``.

    Args:
        but: words that must not stay, lower case: parts of the patient's own name.
    """
    parts = _WORD.findall(text)
    kept = []
    for part, following in zip(parts, [*parts[1:], ""], strict=False):  # the last has none
        word = part.casefold()
        is_length = bool(_LENGTH.fullmatch(part)) and following.casefold() == "mm"
        if is_length or (word in _KNOWN and word not in but):
            kept.append(part)
    if kept == ["mm"]:
        return ""
    line = " ".join(kept)
    return line if len(line) <= _LONGEST else line[:_LONGEST].rpartition(" ")[0]


def maker(text: str) -> str:
    """The common name of a known maker, nothing of any other: the element is free text."""
    for word in re.findall(r"[a-z]+", text.casefold()):
        if word in _MAKERS:
            return _MAKERS[word]
    return ""


def tells_of_head(text: str) -> bool:
    """Whether a body part or a description has a word of the head or the neck."""
    return any(word in _HEAD for word in _letters(text))


def tells_of_elsewhere(text: str) -> bool:
    """Whether it names a part of the body that has no face."""
    return any(word in _ELSEWHERE for word in _letters(text))


def name_parts(name: str) -> frozenset[str]:
    """The words of a person's name, lower case."""
    return frozenset(_letters(name))


def _letters(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
