//! Who gets which row of a data feed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proofload_core::plan::{DataFeed, FeedId, FeedMode, Plan};

/// The feeds of a plan, shared by all workers. The cursors are the only thing that is written: one
/// relaxed increment for every row drawn in order.
#[derive(Debug)]
pub(super) struct Feeds(Vec<Feed>);

#[derive(Debug)]
struct Feed {
    data: DataFeed,
    cursor: AtomicU64,
}

impl Feeds {
    pub(super) fn new(plan: &Plan) -> Self {
        let feed = |data: &DataFeed| Feed { data: data.clone(), cursor: AtomicU64::new(0) };
        Self(plan.feeds.iter().map(feed).collect())
    }

    /// Draws a row for a user; `None` when a feed of unique rows is used up. `user_id` counts from 1.
    pub(super) fn draw(&self, id: FeedId, user_id: u64, rng: &mut fastrand::Rng) -> Option<u32> {
        let Feed { data, cursor } = &self.0[usize::from(id.0)];
        let rows = data.rows.len() as u64;
        let next = || cursor.fetch_add(1, Ordering::Relaxed);
        let row = match data.mode {
            FeedMode::Sequential => next() % rows,
            FeedMode::Random => rng.u64(..rows),
            FeedMode::PerUser => (user_id - 1) % rows,
            FeedMode::Unique => Some(next()).filter(|&row| row < rows)?,
        };
        u32::try_from(row).ok()
    }

    /// A cell of a row that was drawn.
    pub(super) fn cell(&self, id: FeedId, row: u32, column: u16) -> Option<&Arc<[u8]>> {
        self.0.get(usize::from(id.0))?.data.rows.get(row as usize)?.get(usize::from(column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feeds(mode: FeedMode, rows: usize) -> Feeds {
        let row = |value: usize| vec![Arc::from(value.to_string().into_bytes())].into_boxed_slice();
        let data = DataFeed {
            name: "f".into(),
            file: None,
            mode,
            columns: vec!["c".into()],
            delimiter: None,
            rows: (0..rows).map(row).collect(),
        };
        Feeds(vec![Feed { data, cursor: AtomicU64::new(0) }])
    }

    fn draws(mode: FeedMode, users: &[u64]) -> Vec<Option<u32>> {
        let (feeds, mut rng) = (feeds(mode, 3), fastrand::Rng::with_seed(1));
        users.iter().map(|&user| feeds.draw(FeedId(0), user, &mut rng)).collect()
    }

    #[test]
    fn every_mode_deals_as_it_says() {
        assert_eq!(
            draws(FeedMode::Sequential, &[1, 1, 2, 1]),
            [Some(0), Some(1), Some(2), Some(0)]
        );
        assert_eq!(draws(FeedMode::Unique, &[1, 2, 1, 1]), [Some(0), Some(1), Some(2), None]);
        assert_eq!(draws(FeedMode::PerUser, &[1, 4, 2]), [Some(0), Some(0), Some(1)]);
        let random = draws(FeedMode::Random, &[1; 100]);
        assert!((0..3).all(|row| random.contains(&Some(row))));
    }

    #[test]
    fn cells_are_found_by_row_and_column() {
        let feeds = feeds(FeedMode::Sequential, 3);
        assert_eq!(feeds.cell(FeedId(0), 2, 0).map(|cell| &cell[..]), Some(b"2".as_slice()));
        assert_eq!(feeds.cell(FeedId(0), 3, 0), None);
        assert_eq!(feeds.cell(FeedId(0), 0, 1), None);
    }
}
