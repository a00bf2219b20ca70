//! Configuration: flags, environment (`REFDESK_…`) and an optional `refdesk.toml` say the same things.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use ipnet::IpNet;
use serde::Deserialize;

use crate::secret_key::SecretKey;

/// The settings of the program. A flag wins over the environment, which wins over the file.
#[derive(Debug, Clone, Args, Deserialize, Default)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[command(next_help_heading = "Settings of every command")]
pub struct Settings {
    /// Address and port to serve on [default: 127.0.0.1:8080]
    #[arg(long, env = "REFDESK_LISTEN", global = true)]
    pub listen: Option<SocketAddr>,
    /// sqlite://FILE or postgres://USER@HOST/NAME [default: sqlite://refdesk.db]
    #[arg(long, env = "REFDESK_DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// The address people use, for links and cookies [default: http://LISTEN]
    #[arg(long, env = "REFDESK_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// Addresses and networks of reverse proxies whose X-Forwarded-For is believed, separated by commas: 127.0.0.1,10.0.0.0/8
    #[arg(long, env = "REFDESK_TRUSTED_PROXIES", global = true)]
    pub trusted_proxies: Option<String>,
    /// Bearer token that may read /metrics; without one only this machine may
    #[arg(long, env = "REFDESK_METRICS_TOKEN", global = true, hide_env_values = true)]
    pub metrics_token: Option<String>,
    /// Log lines as JSON instead of text
    #[arg(long, env = "REFDESK_LOG_JSON", global = true, value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub log_json: Option<bool>,
    /// Largest upload in MiB [default: 64]
    #[arg(long, env = "REFDESK_UPLOAD_MIB", global = true)]
    pub upload_mib: Option<u64>,
    /// Calls of /v1 that a key without a limit of its own may make a minute; 0 is any number [default: 6000000, more than a node answers]
    #[arg(long, env = "REFDESK_CALLS_PER_MINUTE", global = true)]
    pub calls_per_minute: Option<i64>,
    /// Key of payout details: 64 hexadecimal digits, or 32 bytes in base64; the same on every node. Further keys, apart by commas, only read [default: the file beside a SQLite database]
    #[arg(long, env = "REFDESK_SECRET_KEY", global = true, hide_env_values = true)]
    pub secret_key: Option<Hidden>,
    /// The address of Stripe's API, for tests [default: https://api.stripe.com]
    #[arg(long, env = "REFDESK_STRIPE_API", global = true)]
    pub stripe_api: Option<String>,
}

/// A setting whose text no log and no message shows.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl FromStr for Hidden {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(•••)")
    }
}

/// The settings with everything filled in and checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub database_url: String,
    /// Without a trailing slash.
    pub public_url: String,
    pub trusted_proxies: Vec<IpNet>,
    pub metrics_token: Option<String>,
    pub log_json: bool,
    /// In bytes.
    pub upload_limit: u64,
    /// For our own API and keys without a limit of their own; 0 is any number.
    pub calls_per_minute: i64,
    /// The first encrypts; each reads.
    pub secret_keys: Vec<SecretKey>,
    /// The address of Stripe's API, without a trailing slash.
    pub stripe_api: String,
    /// The time a caller may take over the head of a request, and over its body beside what its size earns.
    pub patience: Duration,
}

impl Settings {
    /// The file's value where neither flag nor environment has one.
    pub fn or(self, file: Self) -> Self {
        Self {
            listen: self.listen.or(file.listen),
            database_url: self.database_url.or(file.database_url),
            public_url: self.public_url.or(file.public_url),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            metrics_token: self.metrics_token.or(file.metrics_token),
            log_json: self.log_json.or(file.log_json),
            upload_mib: self.upload_mib.or(file.upload_mib),
            calls_per_minute: self.calls_per_minute.or(file.calls_per_minute),
            secret_key: self.secret_key.or(file.secret_key),
            stripe_api: self.stripe_api.or(file.stripe_api),
        }
    }

    /// # Errors
    /// A sentence that names the setting that makes no sense.
    pub fn checked(self) -> Result<Config, String> {
        let listen = self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = self.public_url.unwrap_or_else(|| format!("http://{listen}"));
        let public_url = public_address(&public_url)?;
        let trusted_proxies = self
            .trusted_proxies
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(network)
            .collect::<Result<_, _>>()?;
        let calls_per_minute = self.calls_per_minute.unwrap_or(6_000_000);
        if !(0..=10_000_000).contains(&calls_per_minute) {
            return Err(format!("calls-per-minute must be 0 to 10000000, not {calls_per_minute}"));
        }
        let upload_mib = self.upload_mib.unwrap_or(64);
        if !(1..=4_096).contains(&upload_mib) {
            return Err(format!("upload-mib must be 1 to 4096, not {upload_mib}"));
        }
        Ok(Config {
            listen,
            database_url: self.database_url.unwrap_or_else(|| "sqlite://refdesk.db".to_owned()),
            public_url,
            trusted_proxies,
            metrics_token: self.metrics_token,
            log_json: self.log_json.unwrap_or(false),
            calls_per_minute,
            secret_keys: self.secret_key.map_or(Ok(Vec::new()), |keys| secret_keys(&keys.0))?,
            upload_limit: upload_mib << 20,
            stripe_api: stripe_api(self.stripe_api.as_deref())?,
            patience: Duration::from_secs(20),
        })
    }
}

/// The public address: a scheme and a host, with a port where it is not the scheme's own. Refdesk is served at the
/// root of its host.
fn public_address(text: &str) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("public-url {why}, not {text:?}"));
    let address = text.trim_end_matches('/');
    let Some(host) = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://")) else {
        return wrong("must begin with http:// or https://");
    };
    if host.contains('@') {
        return Err("public-url must be without a user name and password".to_owned());
    }
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c)) {
        return wrong("must be a scheme and a host, like https://refer.example.com");
    }
    if host.contains(['/', '?', '#']) {
        return wrong("must be without a path: Refdesk is served at the root of its host");
    }
    Ok(address.to_owned())
}

fn stripe_api(text: Option<&str>) -> Result<String, String> {
    let address = text.unwrap_or("https://api.stripe.com").trim_end_matches('/');
    let host = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"));
    match host.filter(|host| !host.is_empty() && !host.contains(char::is_whitespace)) {
        Some(_) => Ok(address.to_owned()),
        None => Err(format!("stripe-api must begin with http:// or https://, not {address:?}")),
    }
}

/// Keys with a comma between them.
fn secret_keys(text: &str) -> Result<Vec<SecretKey>, String> {
    let parts: Vec<&str> = text.split(',').collect();
    let key = |(at, part): (usize, &str)| {
        let which = if parts.len() == 1 { String::new() } else { format!(": key {}", at + 1) };
        SecretKey::parse(part).map_err(|why| format!("secret-key{which} {why}"))
    };
    parts.iter().copied().enumerate().map(key).collect()
}

/// An address is the network of itself.
fn network(text: &str) -> Result<IpNet, String> {
    let one = text.parse::<IpAddr>().ok().map(|ip| IpNet::from(ip.to_canonical()));
    let network = one.or_else(|| text.parse::<IpNet>().ok());
    network.ok_or_else(|| format!("trusted-proxies: {text:?} is no address and no network"))
}

impl Config {
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: impl FnOnce(&mut Settings)) -> Result<Config, String> {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.checked()
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        for url in [
            "refer.example.com",
            "https://refer.example.com/desk",
            "https://refer example.com",
            "https://me:secret@refer.example.com",
            "https://",
            "https://refer.example.com?x",
        ] {
            let why = of(|s| s.public_url = Some(url.into())).map(|c| c.public_url).unwrap_err();
            assert!(why.starts_with("public-url ") && !why.contains("secret"), "{url}: {why}");
        }
        let url = of(|s| s.public_url = Some("https://refer.example.com:8443/".into())).map(|c| c.public_url);
        assert_eq!(url.as_deref(), Ok("https://refer.example.com:8443"));
        assert!(of(|s| s.calls_per_minute = Some(-1)).is_err_and(|why| why.starts_with("calls-per-minute ")));
        assert!(of(|s| s.upload_mib = Some(0)).is_err_and(|why| why.starts_with("upload-mib ")));
        assert!(of(|s| s.trusted_proxies = Some("10.0.0.0/8, ::1".into())).is_ok());
        assert!(of(|s| s.trusted_proxies = Some("proxy".into())).is_err_and(|why| why.starts_with("trusted-proxies")));
    }

    #[test]
    fn a_key_is_never_shown() {
        let (one, two) = (SecretKey::draw(), SecretKey::draw());
        let both = format!("{}, {}", one.hex(), two.hex());
        let hidden = |text: &str| Some(Hidden(text.to_owned()));
        let config = of(|s| s.secret_key = hidden(&both)).unwrap();
        assert_eq!(config.secret_keys, [one.clone(), two]);
        let settings = Settings { secret_key: hidden(&both), ..Settings::default() };
        for shown in [format!("{config:?}"), format!("{settings:?}")] {
            assert!(!shown.contains(&one.hex()[..16]), "{shown}");
        }
        for (text, begins) in
            [("", "secret-key is no key"), ("deadbeef", "secret-key is no key"), ("x,y", "secret-key: key 1 is")]
        {
            let why = of(|s| s.secret_key = hidden(text)).map(|_| ()).unwrap_err();
            assert!(why.starts_with(begins) && !why.contains("deadbeef"), "{why}");
        }
    }
}
