//! Test before launch: one test checkout, watched step by step.

use askama::Template;
use axum::extract::{OriginalUri, Path};

use super::campaign::find;
use crate::campaigns::Campaign;
use crate::codes::{self, Known};
use crate::providers::accounts;
use crate::providers::standing;
use crate::providers::store::uses;
use crate::providers::watch::{self, Step, StepState, Watched};
use crate::query::{self, ListQuery};
use crate::shell::{Frame, Page};
use crate::web::{PageResult, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "providers/test.html")]
struct TestPage {
    frame: Frame,
    campaign: Campaign,
    connected: bool,
    /// The code that was typed.
    asked: String,
    code: Option<Known>,
    steps: Vec<Shown>,
    /// Some step is not done yet.
    watches: bool,
    /// The address of this page with its code.
    here: String,
}

/// A step with its time in words.
struct Shown {
    step: Step,
    when: Option<When>,
}

impl Shown {
    fn is_next(&self) -> bool {
        self.step.state == StepState::Next
    }

    fn tone(&self) -> &'static str {
        match self.step.state {
            StepState::Done => "good",
            StepState::Next => "info",
            StepState::Wrong => "bad",
            StepState::Later => "neutral",
        }
    }
}

pub(super) async fn show(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let campaign = find(&page, id).await?;
    let business_id = page.member.business_id;
    let place = format!("/campaigns/{id}/payments/test");
    let asked = ListQuery::new(place.clone(), uri.query(), &["code"]).get("code").to_owned();
    let mut conn = page.read().await?;
    let accounts = standing::accounts(accounts::of(&mut conn, business_id).await?, id);
    let code = if asked.is_empty() {
        let ids: Vec<i64> = accounts.iter().filter(|a| a.is_connected()).map(|a| a.row.id).collect();
        match uses::newest_made(&mut conn, id, &ids).await? {
            Some(code_id) => codes::by_id(&mut conn, business_id, code_id).await?,
            None => None,
        }
    } else {
        codes::find(&mut conn, business_id, &asked).await?.map(|(code, _)| code)
    };
    let code = code.filter(|code| code.campaign_id == id);
    let steps = match &code {
        Some(code) if !accounts.is_empty() => {
            let watched = Watched { campaign_id: id, accounts: &accounts, code };
            watch::steps(&mut conn, business_id, &watched).await?
        }
        _ => Vec::new(),
    };
    drop(conn);
    let today = page.today();
    let shown = |step: Step| Shown {
        when: match (step.at, &step.day) {
            (Some(at), _) => Some(page.when(at)),
            (None, Some(day)) => Some(When::on_text(today, day)),
            (None, None) => None,
        },
        step,
    };
    html(&TestPage {
        watches: steps.iter().any(|step| step.state != StepState::Done),
        steps: steps.into_iter().map(shown).collect(),
        here: code.as_ref().map_or(place.clone(), |code| query::url(&place, &[("code", &code.text)])),
        connected: !accounts.is_empty(),
        asked: code.as_ref().map_or(asked, |code| code.text.clone()),
        code,
        campaign,
        frame: page.frame("campaign").await?,
    })
}
