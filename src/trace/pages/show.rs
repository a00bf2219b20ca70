//! Why something is as it is: the page of staff.

use askama::Template;
use axum::extract::Path;

use crate::db::Conn;
use crate::id::Kind;
use crate::shell::{Frame, Page};
use crate::trace::{self, LinkRow, Reader, Step, Subject, Trace};
use crate::users::Right;
use crate::web::{Fault, PageResult, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "trace/show.html")]
struct ShowPage {
    frame: Frame,
    t: Trace,
    steps: Vec<Shown>,
    /// The page of the thing itself.
    thing_url: String,
    thing: &'static str,
    share_url: String,
    can_share: bool,
    links: Vec<Link>,
}

/// A step with its moment in words.
pub(super) struct Shown {
    pub step: Step,
    pub when: Option<When>,
    pub url: String,
}

struct Link {
    row: LinkRow,
    made: When,
    until: When,
}

/// The trace of a thing of the business.
pub(super) async fn read(
    conn: &mut Conn,
    business_id: i64,
    (subject, id): (Subject, i64),
    reader: Reader,
) -> Result<Trace, Fault> {
    let found = match subject {
        Subject::Commission => trace::commission(conn, business_id, id, reader).await?,
        Subject::Lead => trace::lead(conn, business_id, id, reader).await?,
        Subject::PayoutLine => trace::payout_line(conn, business_id, id, reader).await?,
    };
    found.ok_or(Fault::NotFound)
}

fn url(page: &Page, step: &Step) -> String {
    match step.subject {
        Some((Kind::Commission, id)) => format!("/why/{}/{id}", Subject::Commission.path()),
        Some((Kind::PayoutLine, id)) => format!("/why/{}/{id}", Subject::PayoutLine.path()),
        Some((Kind::Payout, id)) if page.member.may(Right::Pay) => format!("/payouts/{id}"),
        _ => String::new(),
    }
}

pub(super) async fn show(page: Page, Path((of, id)): Path<(String, i64)>) -> PageResult {
    let subject = Subject::of_path(&of).ok_or(Fault::NotFound)?;
    let business_id = page.member.business_id;
    let can_share = page.member.may(Right::DecideMoney);
    let mut conn = page.read().await?;
    // Payout details are for those who may pay.
    let reader =
        if subject == Subject::PayoutLine && !page.member.may(Right::Pay) { Reader::Stranger } else { Reader::Staff };
    let t = read(&mut conn, business_id, (subject, id), reader).await?;
    let links = match can_share {
        true => trace::links(&mut conn, subject, id, page.app.clock.now()).await?,
        false => Vec::new(),
    };
    drop(conn);
    let today = page.today();
    let steps = t.steps.iter().map(|step| Shown {
        when: match (step.at, &step.day) {
            (Some(at), _) => Some(page.when(at)),
            (None, Some(day)) => Some(When::on_text(today, day)),
            (None, None) => None,
        },
        url: url(&page, step),
        step: step.clone(),
    });
    let steps = steps.collect();
    let place = match subject {
        Subject::Commission => "commissions",
        Subject::Lead => "leads",
        Subject::PayoutLine => "payouts",
    };
    let (thing_url, thing) = match subject {
        Subject::Commission => (format!("/commissions/{id}"), "The commission"),
        Subject::Lead => (format!("/leads/{id}"), "The lead"),
        Subject::PayoutLine => {
            let payout = t.payout_id.filter(|_| page.member.may(Right::Pay));
            (payout.map(|id| format!("/payouts/{id}")).unwrap_or_default(), "The payout")
        }
    };
    html(&ShowPage {
        frame: page.frame(place).await?,
        steps,
        thing_url,
        thing,
        share_url: format!("/why/{of}/{id}/links"),
        can_share,
        links: links
            .into_iter()
            .map(|row| Link { made: page.when(row.created_at), until: page.when(row.expires_at), row })
            .collect(),
        t,
    })
}
