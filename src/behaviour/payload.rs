//! Writes the content of received messages to stdout.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use crate::engine::behaviour::{Behaviour, Context};
use crate::event::FrameEvent;
use crate::net::stdio::Stdout;
use crate::output::payload::PayloadSink;
use crate::session::Observer;
use crate::session::observer::Run;
use crate::wire::decoder::Input;
use crate::wire::{Data, Role};

/// Writes the content of messages.
pub struct PayloadWriter {
    sink: PayloadSink,
    streams: bool,
    half: Rc<Cell<bool>>,
}

impl PayloadWriter {
    /// Writes pieces as they arrive if only one connection uses stdout, otherwise whole messages.
    /// `None` if the sink writes nothing. `half` is true while stdout contains an incomplete
    /// message.
    pub fn new(sink: PayloadSink, role: Role, half: &Rc<Cell<bool>>) -> Option<Self> {
        let (streams, half) = (role == Role::Client, Rc::clone(half));
        sink.delivers().then_some(Self { sink, streams, half })
    }
}

impl Behaviour for PayloadWriter {
    fn streams(&self) -> bool {
        self.streams
    }

    fn takes_runs(&self) -> bool {
        self.streams
    }

    #[inline]
    fn take_run(
        &mut self,
        inbound: &mut Observer,
        input: &mut Input<'_>,
        _most: usize,
        cx: &mut Context<'_>,
    ) -> Run {
        self.sink.take_run(inbound, input, cx.stdout)
    }

    #[inline]
    fn on_message(&mut self, _: Data, content: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        self.sink.take_message(content, cx.stdout)
    }

    #[inline]
    fn on_event(&mut self, event: &FrameEvent<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        match event {
            FrameEvent::Data(_) => self.half.set(true),
            FrameEvent::Message(_) => self.half.set(false),
            _ => {}
        }
        self.sink.take(event, cx.stdout)
    }

    #[inline]
    fn is_full(&self, stdout: &Stdout) -> bool {
        stdout.is_full()
    }
}
