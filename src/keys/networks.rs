//! The addresses and networks, of either version, from which a key may be used.

use std::net::IpAddr;

use ipnet::IpNet;

/// The most networks of one key.
const MOST: usize = 50;

/// Addresses and networks; none is anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// As people type them: with commas, spaces or line breaks between them. The sentence continues from the
    /// field's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = text.split([',', ';', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
        let mut all: Vec<IpNet> = words.map(network).collect::<Result<_, _>>()?;
        all.sort_unstable();
        all.dedup();
        if all.len() > MOST {
            return Err(format!("can have at most {MOST} entries"));
        }
        Ok(Self(all))
    }

    /// As stored; unreadable text matches no address, so that a mistake opens nothing.
    pub fn of_stored(text: &str) -> Self {
        let nowhere = || IpNet::new(IpAddr::from([0, 0, 0, 0]), 32).ok();
        Self::parse(text).unwrap_or_else(|_| Self(nowhere().into_iter().collect()))
    }

    pub fn allow(&self, ip: Option<IpAddr>) -> bool {
        self.0.is_empty() || ip.is_some_and(|ip| self.0.iter().any(|network| network.contains(&ip.to_canonical())))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn to_text(&self) -> String {
        let word = |network: &IpNet| match network.prefix_len() == network.max_prefix_len() {
            true => network.addr().to_string(),
            false => network.to_string(),
        };
        self.0.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

fn network(word: &str) -> Result<IpNet, String> {
    let parsed = word.parse::<IpAddr>().map(|ip| IpNet::from(ip.to_canonical())).or_else(|_| word.parse::<IpNet>());
    let network = parsed.map_err(|_| format!("has an entry that is neither an address nor a network: {word}"))?;
    // 10.1.2.3/8 is 10.0.0.0/8.
    Ok(network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &str, ip: &str) -> bool {
        Networks::parse(list).unwrap().allow(ip.parse().ok())
    }

    #[test]
    fn addresses_and_networks_of_both_versions() {
        let list = "10.1.2.3/8, 203.0.113.9\r\n2001:db8::/32;fd00::7";
        let networks = Networks::parse(list).unwrap();
        assert_eq!(networks.to_text(), "10.0.0.0/8 203.0.113.9 2001:db8::/32 fd00::7");
        assert_eq!(Networks::of_stored(&networks.to_text()), networks);
        for inside in ["10.255.0.1", "203.0.113.9", "2001:db8:1::1", "fd00::7", "::ffff:10.0.0.1"] {
            assert!(allowed(list, inside), "{inside}");
        }
        for outside in ["11.0.0.1", "203.0.113.10", "2001:db9::1", "fd00::8", "::ffff:11.0.0.1", "unknown"] {
            assert!(!allowed(list, outside), "{outside}");
        }
    }

    #[test]
    fn none_is_anywhere_and_nonsense_is_nowhere() {
        assert!(allowed("", "203.0.113.9") && allowed(" ,\n", "unknown"));
        for nonsense in ["10.0.0.0/33", "10.0.0", "example.org", "10.0.0.0/", "::/129", "10.0.0.1-10.0.0.9"] {
            assert!(Networks::parse(nonsense).unwrap_err().ends_with(nonsense), "{nonsense}");
            assert!(!Networks::of_stored(nonsense).allow("203.0.113.9".parse().ok()));
        }
        let many: Vec<String> = (0..51).map(|n| format!("10.0.0.{n}")).collect();
        assert_eq!(Networks::parse(&many.join(" ")).unwrap_err(), "can have at most 50 entries");
    }
}
