//! Quantities in other units. Each unit is a factor of the first one of its table, by its definition.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use datafusion::common::Result;

use super::{Call, FunctionSpec, Returns};

pub(super) static UNITS: &[&FunctionSpec] = &[
    &CONVERT_ANGLE,
    &CONVERT_ENERGY,
    &CONVERT_FORCE,
    &CONVERT_LENGTH,
    &CONVERT_MASS,
    &CONVERT_SPEED,
    &CONVERT_TEMPERATURE,
    &CONVERT_VOLUME,
];

macro_rules! spec {
    ($name:ident, $text:literal, $evaluate:expr) => {
        #[doc = concat!("`", $text, "(value, from, to)`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::Real, evaluate: $evaluate };
    };
}

spec!(CONVERT_ANGLE, "kql_convert_angle", |call| converted(call, ANGLES));
spec!(CONVERT_ENERGY, "kql_convert_energy", |call| converted(call, ENERGIES));
spec!(CONVERT_FORCE, "kql_convert_force", |call| converted(call, FORCES));
spec!(CONVERT_LENGTH, "kql_convert_length", |call| converted(call, LENGTHS));
spec!(CONVERT_MASS, "kql_convert_mass", |call| converted(call, MASSES));
spec!(CONVERT_SPEED, "kql_convert_speed", |call| converted(call, SPEEDS));
spec!(CONVERT_TEMPERATURE, "kql_convert_temperature", |call| each(call, |value, from, to| {
    from_kelvin(to_kelvin(value, from)?, to)
}));
spec!(CONVERT_VOLUME, "kql_convert_volume", |call| converted(call, VOLUMES));

fn converted(call: &Call<'_>, units: &[(&str, f64)]) -> Result<ArrayRef> {
    let factor = |unit: &str| units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    each(call, |value, from, to| Some(value * factor(from)? / factor(to)?))
}

fn each(call: &Call<'_>, convert: impl Fn(f64, &str, &str) -> Option<f64>) -> Result<ArrayRef> {
    let (values, from, to) = (call.reals(0)?, call.texts(1)?, call.texts(2)?);
    let results = values.iter().enumerate().map(|(row, value)| convert(value?, from.get(row), to.get(row)));
    Ok(Arc::new(results.collect::<Float64Array>()))
}

fn to_kelvin(value: f64, unit: &str) -> Option<f64> {
    Some(match unit {
        "Kelvin" => value,
        "DegreeCelsius" => value + 273.15,
        "DegreeFahrenheit" => (value + 459.67) * 5.0 / 9.0,
        "DegreeRankine" => value * 5.0 / 9.0,
        _ => return None,
    })
}

fn from_kelvin(kelvin: f64, unit: &str) -> Option<f64> {
    Some(match unit {
        "Kelvin" => kelvin,
        "DegreeCelsius" => kelvin - 273.15,
        "DegreeFahrenheit" => kelvin * 9.0 / 5.0 - 459.67,
        "DegreeRankine" => kelvin * 9.0 / 5.0,
        _ => return None,
    })
}

const DEGREES_PER_RADIAN: f64 = 180.0 / std::f64::consts::PI;
const ANGLES: &[(&str, f64)] = &[
    ("Degree", 1.0),
    ("Arcminute", 1.0 / 60.0),
    ("Arcsecond", 1.0 / 3600.0),
    ("Centiradian", DEGREES_PER_RADIAN * 1e-2),
    ("Deciradian", DEGREES_PER_RADIAN * 1e-1),
    ("Gradian", 0.9),
    ("Microdegree", 1e-6),
    ("Microradian", DEGREES_PER_RADIAN * 1e-6),
    ("Millidegree", 1e-3),
    ("Milliradian", DEGREES_PER_RADIAN * 1e-3),
    ("Nanodegree", 1e-9),
    ("Nanoradian", DEGREES_PER_RADIAN * 1e-9),
    ("Radian", DEGREES_PER_RADIAN),
    ("Revolution", 360.0),
];
/// Of the international table.
const BRITISH_THERMAL_UNIT: f64 = 1_055.055_852_62;
const ENERGIES: &[(&str, f64)] = &[
    ("Joule", 1.0),
    ("BritishThermalUnit", BRITISH_THERMAL_UNIT),
    ("Calorie", 4.184),
    ("Erg", 1e-7),
    ("GigabritishThermalUnit", BRITISH_THERMAL_UNIT * 1e9),
    ("Gigajoule", 1e9),
    ("GigawattDay", 8.64e13),
    ("GigawattHour", 3.6e12),
    ("KilobritishThermalUnit", BRITISH_THERMAL_UNIT * 1e3),
    ("Kilocalorie", 4184.0),
    ("Kilojoule", 1e3),
    ("KilowattDay", 8.64e7),
    ("KilowattHour", 3.6e6),
    ("MegabritishThermalUnit", BRITISH_THERMAL_UNIT * 1e6),
    ("Megacalorie", 4.184e6),
    ("Megajoule", 1e6),
    ("MegawattDay", 8.64e10),
    ("MegawattHour", 3.6e9),
    ("Millijoule", 1e-3),
    ("TerawattDay", 8.64e16),
    ("TerawattHour", 3.6e15),
    ("WattDay", 86_400.0),
    ("WattHour", 3600.0),
];
/// What gravity makes of a kilogram and of a pound.
const KILOGRAM_FORCE: f64 = 9.806_65;
const POUND_FORCE: f64 = POUND * KILOGRAM_FORCE;
const FORCES: &[(&str, f64)] = &[
    ("Newton", 1.0),
    ("Decanewton", 10.0),
    ("Dyn", 1e-5),
    ("KilogramForce", KILOGRAM_FORCE),
    ("Kilonewton", 1e3),
    ("KiloPond", KILOGRAM_FORCE),
    ("KilopoundForce", POUND_FORCE * 1e3),
    ("Meganewton", 1e6),
    ("Micronewton", 1e-6),
    ("Millinewton", 1e-3),
    ("OunceForce", POUND_FORCE / 16.0),
    ("PoundForce", POUND_FORCE),
    ("TonneForce", KILOGRAM_FORCE * 1e3),
];
const INCH: f64 = 0.0254;
const FOOT: f64 = 0.3048;
const YARD: f64 = 0.9144;
const MILE: f64 = 1609.344;
const LENGTHS: &[(&str, f64)] = &[
    ("Meter", 1.0),
    ("Angstrom", 1e-10),
    ("Centimeter", 1e-2),
    ("Decameter", 10.0),
    ("Decimeter", 1e-1),
    ("Foot", FOOT),
    ("Hectometer", 1e2),
    ("Inch", INCH),
    ("Kilometer", 1e3),
    ("Microinch", INCH * 1e-6),
    ("Micrometer", 1e-6),
    ("Mil", INCH * 1e-3),
    ("Mile", MILE),
    ("Millimeter", 1e-3),
    ("Nanometer", 1e-9),
    ("NauticalMile", 1852.0),
    ("Yard", YARD),
];
const POUND: f64 = 0.453_592_37;
const MASSES: &[(&str, f64)] = &[
    ("Kilogram", 1.0),
    ("Centigram", 1e-5),
    ("Decagram", 1e-2),
    ("Decigram", 1e-4),
    ("Gram", 1e-3),
    ("Hectogram", 1e-1),
    ("Kilopound", POUND * 1e3),
    ("Kilotonne", 1e6),
    ("LongTon", POUND * 2240.0),
    ("Megapound", POUND * 1e6),
    ("Megatonne", 1e9),
    ("Microgram", 1e-9),
    ("Milligram", 1e-6),
    ("Nanogram", 1e-12),
    ("Ounce", POUND / 16.0),
    ("Pound", POUND),
    ("ShortTon", POUND * 2000.0),
    ("Stone", POUND * 14.0),
    ("Tonne", 1e3),
];
const SPEEDS: &[(&str, f64)] = &[
    ("MeterPerSecond", 1.0),
    ("CentimeterPerHour", 1e-2 / 3600.0),
    ("CentimeterPerMinute", 1e-2 / 60.0),
    ("CentimeterPerSecond", 1e-2),
    ("DecimeterPerMinute", 1e-1 / 60.0),
    ("DecimeterPerSecond", 1e-1),
    ("FootPerHour", FOOT / 3600.0),
    ("FootPerMinute", FOOT / 60.0),
    ("FootPerSecond", FOOT),
    ("InchPerHour", INCH / 3600.0),
    ("InchPerMinute", INCH / 60.0),
    ("InchPerSecond", INCH),
    ("KilometerPerHour", 1e3 / 3600.0),
    ("KilometerPerMinute", 1e3 / 60.0),
    ("KilometerPerSecond", 1e3),
    ("Knot", 1852.0 / 3600.0),
    ("MeterPerHour", 1.0 / 3600.0),
    ("MeterPerMinute", 1.0 / 60.0),
    ("MicrometerPerMinute", 1e-6 / 60.0),
    ("MicrometerPerSecond", 1e-6),
    ("MilePerHour", MILE / 3600.0),
    ("MillimeterPerHour", 1e-3 / 3600.0),
    ("MillimeterPerMinute", 1e-3 / 60.0),
    ("MillimeterPerSecond", 1e-3),
    ("NanometerPerMinute", 1e-9 / 60.0),
    ("NanometerPerSecond", 1e-9),
    ("YardPerHour", YARD / 3600.0),
    ("YardPerMinute", YARD / 60.0),
    ("YardPerSecond", YARD),
];
const VOLUMES: &[(&str, f64)] = &[
    ("CubicMeter", 1.0),
    ("Centiliter", 1e-5),
    ("CubicCentimeter", 1e-6),
    ("CubicDecimeter", 1e-3),
    ("CubicFoot", FOOT * FOOT * FOOT),
    ("CubicInch", INCH * INCH * INCH),
    ("CubicKilometer", 1e9),
    ("CubicMillimeter", 1e-9),
    ("CubicYard", YARD * YARD * YARD),
    ("Deciliter", 1e-4),
    ("Hectoliter", 1e-1),
    ("ImperialGallon", 0.004_546_09),
    ("Liter", 1e-3),
    ("Microliter", 1e-9),
    ("Milliliter", 1e-6),
    ("UsGallon", 0.003_785_411_784),
];
