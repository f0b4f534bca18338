"""What may stay, attribute by attribute: the list from which every de-identified object is built anew.

An attribute that is not here does not exist in the result. One that is here is not copied either: its rule
reads the value, checks that it is nothing but what it claims to be (a number, a defined term, a UID …), and
writes it again. Sequences stay only with the attributes that are listed for their items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Do(StrEnum):
    """How an attribute is made anew."""

    NUMBER = "number"
    TERM = "term"
    TABLE = "table"
    """Raw values of a look-up table, as long as its descriptor says."""
    UID = "uid"
    CLASS_UID = "class_uid"
    POINTER = "pointer"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    WORDS = "words"
    MAKER = "maker"
    DEVICE = "device"
    SEX = "sex"
    AGE = "age"
    BODY = "body"
    """A size or a weight: a number under the option of patient characteristics."""
    SITE = "site"
    PATIENT = "patient"
    EMPTY = "empty"
    DIRECTION = "direction"
    KERNEL = "kernel"
    COUNT = "count"
    NUCLEUS = "nucleus"
    LABEL = "label"
    CODES = "codes"
    ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do with an attribute; ``items`` are the rules inside a sequence."""

    do: Do
    items: Mapping[str, Rule] | None = None


Rules = Mapping[str, Rule]


def _each(do: Do, names: str) -> dict[str, Rule]:
    return {name: Rule(do) for name in names.split()}


def _items(**sequences: Rules) -> dict[str, Rule]:
    return {name: Rule(Do.ITEMS, rules) for name, rules in sequences.items()}


def _numbers(names: str) -> dict[str, Rule]:
    return _each(Do.NUMBER, names)


def _terms(names: str) -> dict[str, Rule]:
    return _each(Do.TERM, names)


_REFERENCE: Rules = {
    **_each(Do.CLASS_UID, "ReferencedSOPClassUID"),
    **_each(Do.UID, "ReferencedSOPInstanceUID"),
    **_numbers("ReferencedFrameNumber ReferencedSegmentNumber"),
    **_each(Do.CODES, "PurposeOfReferenceCodeSequence"),
}
_SOURCES = _items(SourceImageSequence=_REFERENCE, ReferencedImageSequence=_REFERENCE)
_LUT: Rules = {
    **_numbers("LUTDescriptor"),
    **_each(Do.TABLE, "LUTData"),
    **_terms("ModalityLUTType"),
}

COMMON: Rules = {
    **_each(Do.CLASS_UID, "SOPClassUID"),
    **_each(Do.UID, "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID"),
    **_each(Do.PATIENT, "PatientName PatientID"),
    **_each(Do.EMPTY, "PatientBirthDate ReferringPhysicianName StudyID AccessionNumber PositionReferenceIndicator"),
    **_each(Do.SEX, "PatientSex"),
    **_each(Do.AGE, "PatientAge"),
    **_each(Do.BODY, "PatientSize PatientWeight"),
    **_each(Do.DATE, "StudyDate SeriesDate AcquisitionDate ContentDate"),
    **_each(Do.TIME, "StudyTime SeriesTime AcquisitionTime ContentTime"),
    **_each(Do.DATETIME, "AcquisitionDateTime"),
    **_each(Do.WORDS, "StudyDescription SeriesDescription ProtocolName"),
    **_each(Do.SITE, "InstitutionName"),
    **_each(Do.MAKER, "Manufacturer"),
    **_each(Do.DEVICE, "ManufacturerModelName StationName DeviceSerialNumber SoftwareVersions GantryID DetectorID"),
    **_terms(
        "Modality Laterality ImageLaterality BodyPartExamined PatientPosition AnatomicalOrientationType ImageType"
    ),
    **_numbers("SeriesNumber InstanceNumber AcquisitionNumber ImagesInAcquisition SpatialResolution"),
    **_each(Do.DIRECTION, "PatientOrientation"),
    **_each(Do.CODES, "AnatomicRegionSequence"),
    **_terms("LossyImageCompression LossyImageCompressionMethod PresentationLUTShape QualityControlImage"),
    **_numbers("LossyImageCompressionRatio"),
    **_SOURCES,
}

PIXELS: Rules = {
    **_numbers("SamplesPerPixel Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation PlanarConfiguration"),
    **_numbers("NumberOfFrames PixelAspectRatio SmallestImagePixelValue LargestImagePixelValue"),
    **_numbers("SmallestPixelValueInSeries LargestPixelValueInSeries PixelPaddingValue PixelPaddingRangeLimit"),
    **_terms("PhotometricInterpretation PixelIntensityRelationship RescaleType VOILUTFunction"),
    **_numbers("PixelIntensityRelationshipSign RescaleIntercept RescaleSlope WindowCenter WindowWidth"),
    **_numbers("RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor"),
    **_numbers("BluePaletteColorLookupTableDescriptor"),
    **_each(Do.TABLE, "RedPaletteColorLookupTableData GreenPaletteColorLookupTableData"),
    **_each(Do.TABLE, "BluePaletteColorLookupTableData"),
    **_items(ModalityLUTSequence=_LUT, VOILUTSequence=_LUT, PresentationLUTSequence=_LUT),
    **_numbers("PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing EstimatedRadiographicMagnificationFactor"),
    **_terms("PixelSpacingCalibrationType"),
    **_numbers("FrameTime FrameTimeVector FrameDelay StartTrim StopTrim RecommendedDisplayFrameRate CineRate"),
    **_numbers("ActualFrameDuration EffectiveDuration RepresentativeFrameNumber"),
    **_each(Do.POINTER, "FrameIncrementPointer"),
}

_REGION: Rules = _numbers(
    "RegionSpatialFormat RegionDataType RegionFlags RegionLocationMinX0 RegionLocationMinY0 RegionLocationMaxX1 "
    "RegionLocationMaxY1 ReferencePixelX0 ReferencePixelY0 PhysicalUnitsXDirection PhysicalUnitsYDirection "
    "ReferencePixelPhysicalValueX ReferencePixelPhysicalValueY PhysicalDeltaX PhysicalDeltaY TransducerFrequency "
    "PulseRepetitionFrequency DopplerCorrectionAngle SteeringAngle PixelComponentOrganization"
)

PLANE: Rules = _numbers(
    "ImageOrientationPatient ImagePositionPatient SliceThickness SliceLocation SpacingBetweenSlices "
    "ReconstructionDiameter TemporalPositionIdentifier NumberOfTemporalPositions TemporalResolution TriggerTime "
    "NominalInterval AcquisitionDuration"
)

X_RAY: Rules = {
    **_numbers(
        "KVP Exposure ExposureTime XRayTubeCurrent ExposureInuAs ExposureTimeInuS XRayTubeCurrentInuA ExposureInmAs"
    ),
    **_numbers("ExposureTimeInms XRayTubeCurrentInmA DistanceSourceToDetector DistanceSourceToPatient"),
    **_numbers(
        "DistanceSourceToEntrance DistanceObjectToTableTop FocalSpots FilterThicknessMinimum FilterThicknessMaximum"
    ),
    **_numbers(
        "BodyPartThickness CompressionForce CompressionPressure PositionerPrimaryAngle PositionerSecondaryAngle"
    ),
    **_numbers("DetectorElementSpacing DetectorElementPhysicalSize FieldOfViewDimensions FieldOfViewOrigin"),
    **_numbers("FieldOfViewRotation OrganDose EntranceDose EntranceDoseInmGy HalfValueLayer RelativeXRayExposure"),
    **_numbers("Sensitivity ExposureIndex TargetExposureIndex DeviationIndex DetectorTemperature TableAngle"),
    **_numbers("ImageAndFluoroscopyAreaDoseProduct AveragePulseWidth IntensifierSize"),
    **_terms("AnodeTargetMaterial FilterType FilterMaterial Grid ViewPosition PositionerType DetectorType"),
    **_terms("DetectorConfiguration FieldOfViewShape FieldOfViewHorizontalFlip PresentationIntentType"),
    **_terms("BreastImplantPresent PartialView ExposureControlMode ExposureStatus RadiationSetting PositionerMotion"),
    **_each(Do.CODES, "ViewCodeSequence PartialViewCodeSequence"),
}

CT: Rules = {
    **_terms("ScanOptions RotationDirection ExposureModulationType FilterType ContrastBolusIngredient"),
    **_numbers(
        "KVP Exposure ExposureTime XRayTubeCurrent ExposureInuAs FocalSpots GeneratorPower DataCollectionDiameter"
    ),
    **_numbers(
        "DistanceSourceToDetector DistanceSourceToPatient GantryDetectorTilt TableHeight SingleCollimationWidth"
    ),
    **_numbers("TotalCollimationWidth TableSpeed TableFeedPerRotation SpiralPitchFactor CTDIvol RevolutionTime"),
    **_numbers("ReconstructionTargetCenterPatient DataCollectionCenterPatient EstimatedDoseSaving ContrastBolusVolume"),
    **_each(Do.KERNEL, "ConvolutionKernel"),
    **_each(Do.WORDS, "ContrastBolusAgent"),
}

MR: Rules = {
    **_terms("ScanningSequence SequenceVariant ScanOptions MRAcquisitionType AngioFlag InPlanePhaseEncodingDirection"),
    **_terms("VariableFlipAngleFlag"),
    **_each(Do.NUCLEUS, "ImagedNucleus ResonantNucleus"),
    **_numbers("RepetitionTime EchoTime EchoTrainLength InversionTime NumberOfAverages ImagingFrequency EchoNumbers"),
    **_numbers(
        "MagneticFieldStrength NumberOfPhaseEncodingSteps PercentSampling PercentPhaseFieldOfView PixelBandwidth"
    ),
    **_numbers("AcquisitionMatrix FlipAngle SAR dBdt DiffusionBValue DiffusionGradientOrientation"),
    **_each(Do.WORDS, "ContrastBolusAgent"),
}

ULTRASOUND: Rules = {
    **_items(SequenceOfUltrasoundRegions=_REGION),
    **_numbers(
        "UltrasoundColorDataPresent MechanicalIndex BoneThermalIndex CranialThermalIndex SoftTissueThermalIndex"
    ),
    **_numbers("DepthOfScanField HeartRate"),
    **_terms("TransducerType"),
}

CAPTURE: Rules = _terms("ConversionType")

NUCLEAR: Rules = {
    **_terms("Units CountsSource SeriesType CorrectedImage DecayCorrection CollimatorType TypeOfDetectorMotion"),
    **_numbers("FrameReferenceTime DoseCalibrationFactor SliceSensitivityFactor ScatterFractionFactor DeadTimeFactor"),
    **_numbers("ImageIndex NumberOfSlices NumberOfTimeSlices NumberOfRRIntervals DecayFactor NumberOfEnergyWindows"),
    **_numbers("NumberOfDetectors NumberOfPhases NumberOfRotations EnergyWindowVector DetectorVector PhaseVector"),
    **_numbers("RotationVector RRIntervalVector TimeSlotVector SliceVector AngularViewVector TimeSliceVector"),
    **_numbers("AxialMash TransverseMash CoincidenceWindowWidth AxialAcceptance"),
    **_items(
        RadiopharmaceuticalInformationSequence={
            **_numbers("RadionuclideTotalDose RadionuclideHalfLife RadionuclidePositronFraction"),
            **_each(Do.TIME, "RadiopharmaceuticalStartTime"),
            **_each(Do.DATETIME, "RadiopharmaceuticalStartDateTime"),
            **_each(Do.CODES, "RadionuclideCodeSequence"),
        }
    ),
}

_FRAME_TYPE: Rules = _terms(
    "FrameType PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique ComplexImageComponent "
    "AcquisitionContrast"
)
_DERIVATION: Rules = {**_each(Do.CODES, "DerivationCodeSequence"), **_items(SourceImageSequence=_REFERENCE)}
_GROUPS: Rules = _items(
    PixelMeasuresSequence=_numbers("PixelSpacing SliceThickness SpacingBetweenSlices"),
    PlanePositionSequence=_numbers("ImagePositionPatient"),
    PlaneOrientationSequence=_numbers("ImageOrientationPatient"),
    FrameContentSequence={
        **_numbers("FrameAcquisitionNumber FrameAcquisitionDuration DimensionIndexValues TemporalPositionIndex"),
        **_numbers("InStackPositionNumber TemporalPositionTimeOffset"),
        **_each(Do.DATETIME, "FrameReferenceDateTime FrameAcquisitionDateTime"),
        **_each(Do.COUNT, "StackID"),
        **_terms("CardiacCyclePosition"),
    },
    FrameAnatomySequence={**_terms("FrameLaterality"), **_each(Do.CODES, "AnatomicRegionSequence")},
    PixelValueTransformationSequence={**_numbers("RescaleIntercept RescaleSlope"), **_terms("RescaleType")},
    FrameVOILUTSequence={**_numbers("WindowCenter WindowWidth"), **_terms("VOILUTFunction")},
    RealWorldValueMappingSequence={
        **_numbers("RealWorldValueFirstValueMapped RealWorldValueLastValueMapped RealWorldValueSlope"),
        **_numbers("RealWorldValueIntercept DoubleFloatRealWorldValueFirstValueMapped"),
        **_numbers("DoubleFloatRealWorldValueLastValueMapped"),
        **_each(Do.CODES, "MeasurementUnitsCodeSequence"),
    },
    CTImageFrameTypeSequence=_FRAME_TYPE,
    MRImageFrameTypeSequence=_FRAME_TYPE,
    PETFrameTypeSequence=_FRAME_TYPE,
    XRay3DFrameTypeSequence=_FRAME_TYPE,
    ParametricMapFrameTypeSequence=_FRAME_TYPE,
    CTAcquisitionTypeSequence={
        **_terms("AcquisitionType ConstantVolumeFlag FluoroscopyFlag"),
        **_numbers("TubeAngle"),
    },
    CTAcquisitionDetailsSequence={
        **_terms("RotationDirection"),
        **_numbers("RevolutionTime SingleCollimationWidth TotalCollimationWidth TableHeight GantryDetectorTilt"),
        **_numbers("DataCollectionDiameter"),
    },
    CTTableDynamicsSequence=_numbers("TableSpeed TableFeedPerRotation SpiralPitchFactor"),
    CTGeometrySequence=_numbers("DistanceSourceToDetector DistanceSourceToDataCollectionCenter"),
    CTReconstructionSequence={
        **_terms("ReconstructionAlgorithm"),
        **_each(Do.KERNEL, "ConvolutionKernel"),
        **_numbers("ReconstructionDiameter ReconstructionFieldOfView ReconstructionPixelSpacing ReconstructionAngle"),
    },
    CTExposureSequence={
        **_numbers("ExposureTimeInms XRayTubeCurrentInmA ExposureInmAs CTDIvol"),
        **_terms("ExposureModulationType"),
    },
    CTXRayDetailsSequence={**_numbers("KVP FocalSpots"), **_terms("FilterType FilterMaterial")},
    MRTimingAndRelatedParametersSequence=_numbers(
        "RepetitionTime FlipAngle EchoTrainLength RFEchoTrainLength GradientEchoTrainLength"
    ),
    MREchoSequence=_numbers("EffectiveEchoTime"),
    MRAveragesSequence=_numbers("NumberOfAverages"),
    MRModifierSequence={**_numbers("InversionTimes"), **_terms("InversionRecovery")},
    MRImagingModifierSequence=_numbers("PixelBandwidth TransmitterFrequency"),
    MRFOVGeometrySequence={
        **_terms("InPlanePhaseEncodingDirection"),
        **_numbers("MRAcquisitionFrequencyEncodingSteps MRAcquisitionPhaseEncodingStepsInPlane PercentSampling"),
        **_numbers("PercentPhaseFieldOfView"),
    },
    MRDiffusionSequence={
        **_numbers("DiffusionBValue"),
        **_terms("DiffusionDirectionality"),
        **_items(DiffusionGradientDirectionSequence=_numbers("DiffusionGradientOrientation")),
    },
    SegmentIdentificationSequence=_numbers("ReferencedSegmentNumber"),
    DerivationImageSequence=_DERIVATION,
    ReferencedImageSequence=_REFERENCE,
)

FRAMES: Rules = {
    **_items(SharedFunctionalGroupsSequence=_GROUPS, PerFrameFunctionalGroupsSequence=_GROUPS),
    **_items(
        DimensionOrganizationSequence=_each(Do.UID, "DimensionOrganizationUID"),
        DimensionIndexSequence={
            **_each(Do.UID, "DimensionOrganizationUID"),
            **_each(Do.POINTER, "DimensionIndexPointer FunctionalGroupPointer"),
        },
        ReferencedSeriesSequence={
            **_each(Do.UID, "SeriesInstanceUID"),
            **_items(ReferencedInstanceSequence=_REFERENCE),
        },
    ),
    **_terms("DimensionOrganizationType PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique"),
    **_terms("ComplexImageComponent AcquisitionContrast ContentQualification ApplicableSafetyStandardAgency"),
    **_numbers("NumberOfFrames InstanceNumber AcquisitionDuration"),
}

SEGMENTS: Rules = {
    **FRAMES,
    **_terms("SegmentationType SegmentationFractionalType SegmentsOverlap"),
    **_numbers("MaximumFractionalValue"),
    **_each(Do.LABEL, "ContentLabel"),
    **_each(Do.EMPTY, "ContentDescription ContentCreatorName"),
    **_items(
        SegmentSequence={
            **_numbers("SegmentNumber RecommendedDisplayCIELabValue RecommendedDisplayGrayscaleValue"),
            **_terms("SegmentAlgorithmType"),
            **_each(Do.LABEL, "SegmentLabel"),
            **_each(Do.CODES, "SegmentedPropertyCategoryCodeSequence SegmentedPropertyTypeCodeSequence"),
            **_each(Do.CODES, "AnatomicRegionSequence"),
        }
    ),
}

CODE_ITEM = ("ViewModifierCodeSequence", "AnatomicRegionModifierSequence", "SegmentedPropertyTypeModifierCodeSequence")
"""Sequences of codes that may stand in an item of a code sequence."""
