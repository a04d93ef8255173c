//! The state of a printer for each connection.

use std::collections::HashMap;

use crate::event::ConnId;

/// One `T` for each connection. Access is fastest for the one used last.
#[derive(Debug)]
pub struct PerConnection<T> {
    /// The owner of the value; a value without an owner is the default.
    current: Option<ConnId>,
    value: Box<T>,
    others: HashMap<ConnId, Box<T>>,
}

impl<T: Default> Default for PerConnection<T> {
    fn default() -> Self {
        Self { current: None, value: Box::default(), others: HashMap::new() }
    }
}

impl<T: Default> PerConnection<T> {
    /// The state of `conn`; at first the default.
    #[inline]
    pub fn of(&mut self, conn: ConnId) -> &mut T {
        if self.current != Some(conn) {
            self.select(conn);
        }
        &mut self.value
    }

    /// Removes the state of a connection that has ended.
    pub fn forget(&mut self, conn: ConnId) {
        if self.current == Some(conn) {
            self.current = None;
            *self.value = T::default();
        } else {
            self.others.remove(&conn);
        }
    }

    /// The connections that have a state, in ascending order.
    pub fn ids(&self) -> Vec<ConnId> {
        let mut ids: Vec<ConnId> = self.others.keys().copied().chain(self.current).collect();
        ids.sort_unstable();
        ids
    }

    #[cold]
    fn select(&mut self, conn: ConnId) {
        let next = self.others.remove(&conn).unwrap_or_default();
        let last = std::mem::replace(&mut self.value, next);
        if let Some(current) = self.current.replace(conn) {
            self.others.insert(current, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_has_its_own_until_it_is_forgotten() {
        let mut kept = PerConnection::<u32>::default();
        for conn in [1, 2, 1, 3] {
            *kept.of(ConnId(conn)) += conn as u32;
        }
        assert_eq!(kept.ids(), [ConnId(1), ConnId(2), ConnId(3)]);
        assert_eq!(*kept.of(ConnId(1)), 2);
        kept.forget(ConnId(1));
        kept.forget(ConnId(2));
        assert_eq!(*kept.of(ConnId(3)), 3);
        assert_eq!(kept.ids(), [ConnId(3)]);
        assert_eq!(*kept.of(ConnId(1)), 0);
    }
}
