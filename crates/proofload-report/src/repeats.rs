//! What is said of several runs that one run alone does not need.

use proofload_core::result::Repeats;

/// Runs that are named.
const MAX_NAMED: usize = 5;

/// Why the grade is worse than that of all runs together; nothing where it is not.
pub(crate) fn remark(repeats: &Repeats) -> Option<String> {
    let worst = repeats.worse_alone().filter_map(|run| run.grade).max()?;
    let worst_runs: Vec<String> = repeats
        .worse_alone()
        .filter(|run| run.grade == Some(worst))
        .map(|run| run.number.to_string())
        .collect();
    let (noun, verb) = if worst_runs.len() == 1 { ("run", "is") } else { ("runs", "are") };
    let mut named = worst_runs[..worst_runs.len().min(MAX_NAMED)].join(", ");
    if worst_runs.len() > MAX_NAMED {
        named = format!("{named} and {} more", worst_runs.len() - MAX_NAMED);
    }
    let together = repeats.pooled_grade.map_or("without a grade", |grade| grade.name());
    Some(format!(
        "All runs together are {together}, but {noun} {named} {verb} {worst}, and the worst run counts."
    ))
}

#[cfg(test)]
mod tests {
    use proofload_core::result::RepeatRow;
    use proofload_core::verdict::Grade::{self, Excellent, Fair, Poor};

    use super::*;

    #[test]
    fn the_runs_that_spoil_the_grade_are_named() {
        let check = |grades: &[Grade], expect: Option<&str>| {
            let row = |(at, grade): (usize, &Grade)| RepeatRow {
                number: at as u32 + 1,
                grade: Some(*grade),
                ..RepeatRow::default()
            };
            let repeats = Repeats {
                runs: grades.iter().enumerate().map(row).collect(),
                pooled_grade: Some(Excellent),
                ..Repeats::default()
            };
            let text = remark(&repeats);
            let start = |text: &String| text.split(", and").next().unwrap_or_default().to_owned();
            assert_eq!(text.as_ref().map(start).as_deref(), expect);
        };
        check(&[Excellent; 3], None);
        check(&[Excellent, Poor, Fair], Some("All runs together are EXCELLENT, but run 2 is POOR"));
        check(
            &[Fair; 7],
            Some("All runs together are EXCELLENT, but runs 1, 2, 3, 4, 5 and 2 more are FAIR"),
        );
    }
}
