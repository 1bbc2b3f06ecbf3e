//! `[cost]`: what answers cost.

use super::Reader;
use crate::cost::{CostModel, Money, MonthBase};
use crate::plan::diagnostic::Diagnostic;
use crate::plan::spec::COST;
use crate::plan::tree::{Node, Value};

/// More requests a day than there are: a thousand billion.
const MAX_PER_DAY: u64 = 1_000_000_000_000;

impl Reader<'_> {
    /// `[cost]`.
    pub(super) fn cost(&mut self, node: &Node) -> Option<CostModel> {
        let fields = self.open(node, &COST)?;
        let per_miss = match fields.get("per_miss") {
            Some(node) => self.amount(node),
            None => {
                self.missing(&fields, "there is no price here", "such as per_miss = 0.06");
                None
            }
        };
        let currency = fields.get("currency").and_then(|node| self.name(node)).map(str::trim);
        let days = fields.get("days").and_then(|node| self.whole(node, 1, 366));
        let month = match self.one_of(&fields, &["requests_per_day", "monthly_bill"]) {
            None => None,
            Some(entry) if entry.key == "monthly_bill" => {
                self.amount(&entry.node).map(MonthBase::Bill)
            }
            Some(entry) => self.whole(&entry.node, 1, MAX_PER_DAY).map(MonthBase::RequestsPerDay),
        };
        let assumed_hit_rate = match fields.entry("hit_rate") {
            None => None,
            Some(entry) => {
                let has_month = fields.present(&["requests_per_day", "monthly_bill"]);
                if has_month.is_empty() && !fields.has_unknown {
                    let message = "`hit_rate` is for a month, and there is none";
                    let help = "add requests_per_day = 1000, or monthly_bill = 4200";
                    self.error(Diagnostic::at(entry.key_at, message).help(help));
                }
                self.share(&entry.node)
            }
        };
        Some(CostModel {
            currency: currency.unwrap_or(CostModel::DEFAULT_CURRENCY).into(),
            per_miss: per_miss?,
            month,
            days: days.map_or(CostModel::DEFAULT_DAYS, |days| days as u32),
            assumed_hit_rate,
        })
    }

    /// An amount of money.
    fn amount(&mut self, node: &Node) -> Option<Money> {
        let text = match &node.value {
            Value::Whole(number) => number.to_string(),
            // The shortest decimal that is this number is the one that was written.
            Value::Float(number) => number.to_string(),
            Value::Text(text) if text.replaced => text.text.clone(),
            Value::Text(text) => {
                let help = match text.text.trim().parse::<f64>() {
                    Ok(_) => "remove the quotes",
                    Err(_) => {
                        "an amount is a bare number such as 0.06; its sign goes into `currency`"
                    }
                };
                return self.wrong_help(node, "expected an amount, found a text", help);
            }
            _ => return self.wrong(node, format!("expected an amount, found {}", node.kind())),
        };
        Money::parse(&text).map_or_else(|error| self.wrong(node, error.to_string()), Some)
    }
}
