//! Tables of values as parameters arrive in the database as they are, whatever they hold.

use refdesk::db::sql;
use refdesk::rows;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    every_value_arrives_as_it_is,
    a_table_of_no_rows_and_faults_of_ours,
}

async fn every_value_arrives_as_it_is(app: TestApp) {
    // JSONB's headers change at these lengths.
    let lengths = [0, 1, 11, 12, 255, 256, 65_535, 65_536, 70_000];
    let mut texts: Vec<Option<String>> = lengths.iter().map(|n| Some("é".repeat(n / 2) + &"x".repeat(n % 2))).collect();
    let hostile =
        ["'; DROP TABLE leads; --", "\"\\ \u{1}\n\t", "{a,\"b\",NULL}", "NULL", "null", "[1]", "🦀\u{202e}", "$1", "0"];
    texts.extend(hostile.iter().map(|text| Some((*text).to_owned())));
    texts.push(None);
    let numbers = [0, 1, -1, 9_007_199_254_740_993, i64::MAX, i64::MIN];
    let sent: Vec<(i64, Option<String>, Option<bool>, i64)> = (0..)
        .zip(texts)
        .map(|(n, text)| {
            (n, text, [None, Some(true), Some(false)][n as usize % 3], numbers[n as usize % numbers.len()])
        })
        .collect();
    // The columns stand in another order than the statement names them, and one is not asked for.
    let table =
        rows!(&sent, (n, text, truth, number) => { number: *number, unused: true, truth: *truth, words: text, n: *n });
    let mut conn = app.app.db.read().await.unwrap();
    let found: Vec<(i64, Option<String>, Option<bool>, i64)> =
        sql("SELECT CAST(r.n AS BIGINT), CAST(r.words AS TEXT), r.truth = $2, CAST(r.number AS BIGINT)
           FROM rows($1, n BIGINT, words TEXT, truth BOOLEAN, number BIGINT) r ORDER BY r.n")
        .bind(table)
        .bind(true)
        .all(&mut conn)
        .await
        .unwrap();
    assert_eq!(found, sent);
}

async fn a_table_of_no_rows_and_faults_of_ours(app: TestApp) {
    let mut conn = app.app.db.read().await.unwrap();
    let none: [i64; 0] = [];
    let count = sql("SELECT count(*) FROM rows($1, n BIGINT) r").bind(rows!(none, n => { n: n }));
    assert_eq!(count.scalar::<i64>(&mut conn).await.unwrap(), 0);
    let lacking = sql("SELECT count(*) FROM rows($1, n BIGINT) r").bind(rows!([1_i64], n => { m: n }));
    assert!(lacking.scalar::<i64>(&mut conn).await.unwrap_err().to_string().contains("lacks the column n"));
    let undeclared = sql("SELECT $1").bind(rows!([1_i64], n => { n: n }));
    assert!(undeclared.scalar::<i64>(&mut conn).await.unwrap_err().to_string().contains("not declared"));
}
