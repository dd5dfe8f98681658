//! Units of quantities, and the functions that convert between them.

use super::table::fixed;
use super::{FunctionEntry, Parameter};
use crate::function::{Function, Quantity};
use crate::types::ScalarType::Real;

use Parameter::{Number, OneOf};

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionEntry] = &[
    fixed("convert_angle", Function::ConvertUnit(Quantity::Angle), &[Number("value"), OneOf("from", ANGLE), OneOf("to", ANGLE)], 3, Real, "An angle in another unit."),
    fixed("convert_energy", Function::ConvertUnit(Quantity::Energy), &[Number("value"), OneOf("from", ENERGY), OneOf("to", ENERGY)], 3, Real, "An energy in another unit."),
    fixed("convert_force", Function::ConvertUnit(Quantity::Force), &[Number("value"), OneOf("from", FORCE), OneOf("to", FORCE)], 3, Real, "A force in another unit."),
    fixed("convert_length", Function::ConvertUnit(Quantity::Length), &[Number("value"), OneOf("from", LENGTH), OneOf("to", LENGTH)], 3, Real, "A length in another unit."),
    fixed("convert_mass", Function::ConvertUnit(Quantity::Mass), &[Number("value"), OneOf("from", MASS), OneOf("to", MASS)], 3, Real, "A mass in another unit."),
    fixed("convert_speed", Function::ConvertUnit(Quantity::Speed), &[Number("value"), OneOf("from", SPEED), OneOf("to", SPEED)], 3, Real, "A speed in another unit."),
    fixed("convert_temperature", Function::ConvertUnit(Quantity::Temperature), &[Number("value"), OneOf("from", TEMPERATURE), OneOf("to", TEMPERATURE)], 3, Real, "A temperature in another unit."),
    fixed("convert_volume", Function::ConvertUnit(Quantity::Volume), &[Number("value"), OneOf("from", VOLUME), OneOf("to", VOLUME)], 3, Real, "A volume in another unit."),
];

const ANGLE: &[&str] = &[
    "Arcminute",
    "Arcsecond",
    "Centiradian",
    "Deciradian",
    "Degree",
    "Gradian",
    "Microdegree",
    "Microradian",
    "Millidegree",
    "Milliradian",
    "Nanodegree",
    "Nanoradian",
    "Radian",
    "Revolution",
];

const ENERGY: &[&str] = &[
    "BritishThermalUnit",
    "Calorie",
    "Erg",
    "GigabritishThermalUnit",
    "Gigajoule",
    "GigawattDay",
    "GigawattHour",
    "Joule",
    "KilobritishThermalUnit",
    "Kilocalorie",
    "Kilojoule",
    "KilowattDay",
    "KilowattHour",
    "MegabritishThermalUnit",
    "Megacalorie",
    "Megajoule",
    "MegawattDay",
    "MegawattHour",
    "Millijoule",
    "TerawattDay",
    "TerawattHour",
    "WattDay",
    "WattHour",
];

const FORCE: &[&str] = &[
    "Decanewton",
    "Dyn",
    "KilogramForce",
    "Kilonewton",
    "KiloPond",
    "KilopoundForce",
    "Meganewton",
    "Micronewton",
    "Millinewton",
    "Newton",
    "OunceForce",
    "PoundForce",
    "TonneForce",
];

const LENGTH: &[&str] = &[
    "Angstrom",
    "Centimeter",
    "Decameter",
    "Decimeter",
    "Foot",
    "Hectometer",
    "Inch",
    "Kilometer",
    "Meter",
    "Microinch",
    "Micrometer",
    "Mil",
    "Mile",
    "Millimeter",
    "Nanometer",
    "NauticalMile",
    "Yard",
];

const MASS: &[&str] = &[
    "Centigram",
    "Decagram",
    "Decigram",
    "Gram",
    "Hectogram",
    "Kilogram",
    "Kilopound",
    "Kilotonne",
    "LongTon",
    "Megapound",
    "Megatonne",
    "Microgram",
    "Milligram",
    "Nanogram",
    "Ounce",
    "Pound",
    "ShortTon",
    "Stone",
    "Tonne",
];

const SPEED: &[&str] = &[
    "CentimeterPerHour",
    "CentimeterPerMinute",
    "CentimeterPerSecond",
    "DecimeterPerMinute",
    "DecimeterPerSecond",
    "FootPerHour",
    "FootPerMinute",
    "FootPerSecond",
    "InchPerHour",
    "InchPerMinute",
    "InchPerSecond",
    "KilometerPerHour",
    "KilometerPerMinute",
    "KilometerPerSecond",
    "Knot",
    "MeterPerHour",
    "MeterPerMinute",
    "MeterPerSecond",
    "MicrometerPerMinute",
    "MicrometerPerSecond",
    "MilePerHour",
    "MillimeterPerHour",
    "MillimeterPerMinute",
    "MillimeterPerSecond",
    "NanometerPerMinute",
    "NanometerPerSecond",
    "YardPerHour",
    "YardPerMinute",
    "YardPerSecond",
];

const TEMPERATURE: &[&str] = &["DegreeCelsius", "DegreeFahrenheit", "DegreeRankine", "Kelvin"];

const VOLUME: &[&str] = &[
    "Centiliter",
    "CubicCentimeter",
    "CubicDecimeter",
    "CubicFoot",
    "CubicInch",
    "CubicKilometer",
    "CubicMeter",
    "CubicMillimeter",
    "CubicYard",
    "Deciliter",
    "Hectoliter",
    "ImperialGallon",
    "Liter",
    "Microliter",
    "Milliliter",
    "UsGallon",
];
