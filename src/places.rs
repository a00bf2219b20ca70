//! Countries, currencies and time zones by the names people use, for a list to choose from and for what they type.

use std::sync::LazyLock;

use crate::clock::Zone;
use crate::fold::fold;
use crate::money::Currency;
use crate::phone;

/// A country, with what is usual there.
#[derive(Debug, Clone)]
pub struct Country {
    /// ISO 3166, two letters.
    pub code: &'static str,
    pub name: &'static str,
    pub currency: &'static str,
    pub zone: &'static str,
    /// A browser may know the zone by its old name.
    pub zone_was: &'static str,
    /// Other names, folded.
    also: Vec<String>,
}

/// A line each: code, name, currency, zone, and other names apart by semicolons; sorted by name.
const TABLE: &str = include_str!("places/countries.txt");
/// The names of zones that are no alias of another, sorted.
const ZONES: &str = include_str!("places/zones.txt");

const OLD_NAMES: [(&str, &str); 5] = [
    ("Asia/Kolkata", "Asia/Calcutta"),
    ("Asia/Ho_Chi_Minh", "Asia/Saigon"),
    ("Asia/Kathmandu", "Asia/Katmandu"),
    ("Asia/Yangon", "Asia/Rangoon"),
    ("Europe/Kyiv", "Europe/Kiev"),
];

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.split('|');
        let mut next = || parts.next().unwrap_or_default();
        let (code, name, currency, zone, also) = (next(), next(), next(), next(), next());
        let zone_was = OLD_NAMES.iter().find(|(now, _)| *now == zone).map_or("", |(_, old)| old);
        Country { code, name, currency, zone, zone_was, also: also.split(';').map(plain).collect() }
    };
    TABLE.lines().map(line).collect()
});

/// A name as it is compared: without case, accents and marks.
fn plain(name: &str) -> String {
    let folded = fold(name).replace(" & ", " and ");
    folded.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Every country, by name.
pub fn countries() -> &'static [Country] {
    &COUNTRIES
}

/// A country by its two or three letters, its English name, or another name it is known by.
pub fn country(typed: &str) -> Option<&'static Country> {
    let code = phone::country(typed);
    let wanted = plain(typed);
    if wanted.is_empty() {
        return None;
    }
    let found = COUNTRIES.iter().find(|c| Some(c.code) == code.as_deref() || plain(c.name) == wanted);
    found.or_else(|| COUNTRIES.iter().find(|c| c.also.contains(&wanted)))
}

/// The name of a stored country; a code without a name stays.
pub fn country_name(code: &str) -> &str {
    COUNTRIES.iter().find(|c| c.code == code).map_or(code, |c| c.name)
}

/// Names of currencies beside those of ISO 4217.
const SAID: [(&str, &str); 19] = [
    ("us dollar", "USD"),
    ("american dollar", "USD"),
    ("dollar", "USD"),
    ("pound", "GBP"),
    ("british pound", "GBP"),
    ("sterling", "GBP"),
    ("yen", "JPY"),
    ("yuan", "CNY"),
    ("rand", "ZAR"),
    ("naira", "NGN"),
    ("real", "BRL"),
    ("zloty", "PLN"),
    ("kenya shilling", "KES"),
    ("ksh", "KES"),
    ("tsh", "TZS"),
    ("ush", "UGX"),
    ("turkish lira", "TRY"),
    ("uae dirham", "AED"),
    ("ringgit", "MYR"),
];

/// The currencies of all countries, by code.
pub fn currencies() -> Vec<Currency> {
    let mut all: Vec<Currency> = COUNTRIES.iter().filter_map(|c| Currency::parse(c.currency).ok()).collect();
    all.sort_unstable_by_key(|currency| currency.code());
    all.dedup();
    all
}

/// A currency by its code or its name.
pub fn currency(typed: &str) -> Option<Currency> {
    if let Ok(currency) = Currency::parse(typed) {
        return Some(currency);
    }
    let wanted = plain(typed);
    let one = wanted.strip_suffix('s').unwrap_or(&wanted);
    let is_it = |name: &str| !one.is_empty() && [wanted.as_str(), one].contains(&plain(name).as_str());
    let said = SAID.iter().find(|(name, _)| is_it(name)).and_then(|(_, code)| Currency::parse(code).ok());
    said.or_else(|| currencies().into_iter().find(|currency| is_it(&currency.name())))
}

/// Zones of one part of the world: (name, as it is shown).
pub struct Region {
    pub name: &'static str,
    pub zones: Vec<(&'static str, String)>,
}

/// Zones that most people look for.
const COMMON: [&str; 20] = [
    "UTC",
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Africa/Lagos",
    "Europe/Paris",
    "Europe/Berlin",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Africa/Nairobi",
    "Europe/Moscow",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
];

/// All zones by region, the common ones first.
pub fn regions() -> Vec<Region> {
    let mut all = vec![Region { name: "Common", zones: COMMON.map(|zone| (zone, city(zone))).into() }];
    for zone in ZONES.lines() {
        let name = zone.split('/').next().unwrap_or(zone);
        match all.last_mut().filter(|region| region.name == name) {
            Some(region) => region.zones.push((zone, city(zone))),
            None => all.push(Region { name, zones: vec![(zone, city(zone))] }),
        }
    }
    all
}

/// "Nairobi", "Buenos Aires, Argentina".
fn city(zone: &str) -> String {
    let mut parts: Vec<String> = zone.split('/').skip(1).map(|part| part.replace('_', " ")).collect();
    if parts.is_empty() {
        return zone.to_owned();
    }
    parts.reverse();
    parts.join(", ")
}

/// A zone by its name, its city, or the country where it is the usual one.
pub fn zone(typed: &str) -> Option<Zone> {
    let wanted = plain(typed);
    if wanted.is_empty() {
        return None;
    }
    let typed_name = |zone: &&chrono_tz::Tz| zone.name().eq_ignore_ascii_case(typed.trim());
    let exact = chrono_tz::TZ_VARIANTS.iter().find(typed_name).and_then(|zone| Zone::parse(zone.name()).ok());
    let is_it = |zone: &str| zone.rsplit('/').next().is_some_and(|city| plain(city) == wanted);
    let named = || ZONES.lines().find(|zone| is_it(zone) || plain(zone) == wanted);
    exact.or_else(|| Zone::parse(named()?).ok()).or_else(|| Zone::parse(country(typed)?.zone).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_whole_and_found_by_all_its_names() {
        for c in countries() {
            assert_eq!(phone::country(c.code).as_deref(), Some(c.code), "{}", c.name);
            assert!(Currency::parse(c.currency).is_ok() && Zone::parse(c.zone).is_ok(), "{}", c.name);
            assert_eq!(country(c.name).map(|found| found.code), Some(c.code));
        }
        let letters = || b'A'..=b'Z';
        let codes = letters().flat_map(|a| letters().map(move |b| String::from_utf8(vec![a, b]).unwrap()));
        for code in codes.filter(|code| phone::country(code).is_some()) {
            assert!(country(&code).is_some(), "{code} has no name");
        }
    }

    #[test]
    fn typed_names_are_understood() {
        for (typed, code) in [
            (" kenya ", "KE"),
            ("ke", "KE"),
            ("Deutschland", "DE"),
            ("deu", "DE"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("united states", "US"),
            ("Turkey", "TR"),
            ("turkiye", "TR"),
            ("Cote d'Ivoire", "CI"),
            ("Ivory Coast", "CI"),
            ("Great Britain", "GB"),
            ("UK", "GB"),
            ("South Korea", "KR"),
            ("Bosnia & Herzegovina", "BA"),
            ("Österreich", "AT"),
            ("Viet Nam", "VN"),
        ] {
            assert_eq!(country(typed).map(|c| c.code), Some(code), "{typed}");
        }
        for typed in ["", "Mars", "QQ", "-", "Kenyaa"] {
            assert!(country(typed).is_none(), "{typed}");
        }
        for (typed, code) in [
            ("kes", "KES"),
            ("Kenyan shilling", "KES"),
            ("KSh", "KES"),
            ("Euros", "EUR"),
            ("US dollars", "USD"),
            ("pound sterling", "GBP"),
            ("Swiss franc", "CHF"),
        ] {
            assert_eq!(currency(typed).map(Currency::code), Some(code), "{typed}");
        }
        assert!(currency("XXX").is_none() && currency("shells").is_none() && currency("").is_none());
        for (typed, name) in [
            ("Africa/Nairobi", "Africa/Nairobi"),
            ("nairobi", "Africa/Nairobi"),
            ("Buenos Aires", "America/Argentina/Buenos_Aires"),
            ("New York", "America/New_York"),
            ("Kenya", "Africa/Nairobi"),
            ("US/Eastern", "US/Eastern"),
            ("utc", "UTC"),
        ] {
            for typed in [typed.to_owned(), typed.to_uppercase()] {
                assert_eq!(zone(&typed).map(Zone::name), Some(name), "{typed}");
            }
        }
        assert!(zone("Mars").is_none() && zone("").is_none());
    }

    #[test]
    fn zones_are_grouped_and_known() {
        let regions = regions();
        assert_eq!(regions[0].name, "Common");
        assert!(regions.iter().all(|region| region.zones.iter().all(|(zone, _)| Zone::parse(zone).is_ok())));
        assert!(regions.len() < 14, "each region once");
        assert_eq!(city("America/Argentina/Buenos_Aires"), "Buenos Aires, Argentina");
    }
}
