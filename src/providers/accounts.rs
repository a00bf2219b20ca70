//! The accounts at providers, with their secrets.

use serde::{Deserialize, Serialize};

use super::Provider;
use super::store::{self, AccountRow, LinkRow};
use crate::db::{Conn, DbResult};
use crate::keyring::Keyring;
use crate::secret_key::SecretKey;

/// The secrets of an account, which are stored encrypted.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// The key of the provider's API, where there is one.
    #[serde(default)]
    pub key: Option<String>,
    /// The secrets that messages are signed with: two while one is replaced.
    #[serde(default)]
    pub messages: Vec<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(•••)")
    }
}

/// The row that secrets are sealed for.
pub fn about(business_id: i64, provider: Provider, account: &str) -> String {
    format!("provider_accounts/{business_id}/{provider}/{account}")
}

impl Secrets {
    /// `None` for a text that is too long to encrypt.
    pub fn seal(&self, key: &SecretKey, about: &str) -> Option<String> {
        key.seal(about, &serde_json::to_string(self).ok()?)
    }

    /// # Errors
    /// A sentence: the key is not here, or the row was changed.
    pub fn open(keys: &[SecretKey], row: &AccountRow) -> Result<Self, String> {
        let text = Keyring::open(keys, &about(row.business_id, row.provider, &row.account), &row.sealed);
        let text = text.map_err(|why| format!("The secrets of {} cannot be read: {why}.", row.provider.title()))?;
        serde_json::from_str(&text).map_err(|error| format!("The secrets are unreadable: {error}."))
    }
}

/// An account with what it is for.
#[derive(Debug, Clone)]
pub struct Account {
    pub row: AccountRow,
    pub links: Vec<LinkRow>,
}

impl Account {
    pub fn is_connected(&self) -> bool {
        self.row.disconnected_at.is_none()
    }

    pub fn link(&self, campaign_id: i64) -> Option<&LinkRow> {
        self.links.iter().find(|link| link.campaign_id == campaign_id)
    }
}

/// The accounts of a business.
pub async fn of(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Account>> {
    let rows = store::accounts(conn, business_id).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let links = store::links(conn, business_id).await?;
    let with_links = |row: AccountRow| {
        let links = links.iter().filter(|link| link.account_id == row.id).cloned().collect();
        Account { row, links }
    };
    Ok(rows.into_iter().map(with_links).collect())
}

/// The connected accounts of every business at a provider.
pub async fn connected(conn: &mut Conn, provider: Provider) -> DbResult<Vec<Account>> {
    let mut accounts = Vec::new();
    for row in store::connected(conn, provider).await? {
        let links = store::links(conn, row.business_id).await?;
        let links = links.into_iter().filter(|link| link.account_id == row.id).collect();
        accounts.push(Account { row, links });
    }
    Ok(accounts)
}

/// The end of a key, for people: enough to tell it from others.
pub fn masked(key: &str) -> String {
    let kind: String = key.split_inclusive('_').take(2).collect();
    let end: String = key.chars().skip(key.chars().count().saturating_sub(4)).collect();
    if key.chars().count() < 12 {
        "…".to_owned()
    } else if key.matches('_').count() >= 2 {
        format!("{kind}…{end}")
    } else {
        format!("…{end}")
    }
}
