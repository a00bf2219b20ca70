//! The lines that a shop pastes.

use super::Watch;

/// They are shown as text to copy, and hold nothing that a person typed.
#[derive(Debug, Clone)]
pub struct Lines {
    desk: String,
    campaign_id: i64,
    days: i64,
    watch: String,
}

impl Lines {
    pub fn new(desk: &str, campaign_id: i64, days: i64, watch: &Watch) -> Self {
        Self { desk: desk.to_owned(), campaign_id, days, watch: watch.text() }
    }

    fn script_with(&self, more: &str) -> String {
        let Self { desk, campaign_id, days, watch } = self;
        format!(
            "<script src=\"{desk}/refdesk.js\" data-campaign=\"{campaign_id}\" data-days=\"{days}\" \
             data-watch=\"{watch}\"{more} defer></script>"
        )
    }

    /// Loads the script: for every page of the shop.
    pub fn script(&self) -> String {
        self.script_with("")
    }

    /// As [`Self::script`]; nothing is stored before the customer agrees.
    pub fn asking(&self) -> String {
        self.script_with(" data-consent=\"ask\"")
    }

    /// The parts of a Content-Security-Policy that let the script in, and let it tell that it runs.
    pub fn policy(&self) -> String {
        format!("script-src {0}; connect-src {0}", self.desk)
    }

    pub fn field() -> &'static str {
        "<input name=\"referral_code\" data-refdesk-code>"
    }

    pub fn hidden_field() -> &'static str {
        "<input type=\"hidden\" name=\"referral_code\" data-refdesk-code>"
    }

    pub fn own_domain_link() -> &'static str {
        "<a href=\"https://pay.your-shop.example/b/your-link\" data-refdesk-stripe>Buy</a>"
    }

    pub fn agreed() -> &'static str {
        "refdesk.consent(true);"
    }

    pub fn refused() -> &'static str {
        "refdesk.consent(false);"
    }

    pub fn program() -> &'static str {
        "refdesk.ready((code) => {\n  if (code) console.log('Referred with', code);\n});"
    }
}
