//! Configuration: flags, environment (`REFDESK_…`) and an optional `refdesk.toml` say the same things.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

/// The settings of the program. A flag wins over the environment, which wins over the file.
#[derive(Debug, Clone, Args, Deserialize, Default)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
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
    /// Addresses of reverse proxies whose X-Forwarded-For is believed, separated by commas
    #[arg(long, env = "REFDESK_TRUSTED_PROXIES", global = true)]
    pub trusted_proxies: Option<String>,
    /// Bearer token that may read /metrics; without one only this machine may
    #[arg(long, env = "REFDESK_METRICS_TOKEN", global = true, hide_env_values = true)]
    pub metrics_token: Option<String>,
    /// Log lines as JSON instead of text
    #[arg(long, env = "REFDESK_LOG_JSON", global = true)]
    pub log_json: Option<bool>,
    /// Largest upload in MiB [default: 64]
    #[arg(long, env = "REFDESK_UPLOAD_MIB", global = true)]
    pub upload_mib: Option<u64>,
    /// Calls of /v1 that a key without a limit of its own may make a minute; 0 is any number [default: 6000000, more than a node answers]
    #[arg(long, env = "REFDESK_CALLS_PER_MINUTE", global = true)]
    pub calls_per_minute: Option<i64>,
}

/// The settings with everything filled in and checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub database_url: String,
    /// Without a trailing slash.
    pub public_url: String,
    pub trusted_proxies: Vec<IpAddr>,
    pub metrics_token: Option<String>,
    pub log_json: bool,
    /// In bytes.
    pub upload_limit: u64,
    /// For our own API and keys without a limit of their own; 0 is any number.
    pub calls_per_minute: i64,
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
        }
    }

    /// # Errors
    /// A sentence that names the setting that makes no sense.
    pub fn checked(self) -> Result<Config, String> {
        let listen = self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = self.public_url.unwrap_or_else(|| format!("http://{listen}"));
        let public_url = public_url.trim_end_matches('/').to_owned();
        if !(public_url.starts_with("http://") || public_url.starts_with("https://")) {
            return Err(format!("public-url must begin with http:// or https://, not {public_url:?}"));
        }
        let trusted_proxies = self
            .trusted_proxies
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().map_err(|_| format!("trusted-proxies: {part:?} is not an address")))
            .collect::<Result<_, _>>()?;
        Ok(Config {
            listen,
            database_url: self.database_url.unwrap_or_else(|| "sqlite://refdesk.db".to_owned()),
            public_url,
            trusted_proxies,
            metrics_token: self.metrics_token,
            log_json: self.log_json.unwrap_or(false),
            calls_per_minute: self.calls_per_minute.unwrap_or(6_000_000).clamp(0, 10_000_000),
            upload_limit: self.upload_mib.unwrap_or(64).clamp(1, 4_096) << 20,
            patience: Duration::from_secs(20),
        })
    }
}

impl Config {
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}
