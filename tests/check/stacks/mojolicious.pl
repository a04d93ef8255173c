use Mojolicious::Lite -signatures;

websocket '/' => sub ($c) {
  $c->tx->with_compression;
  $c->on(text   => sub ($c, $bytes) { $c->send({text   => $bytes}) });
  $c->on(binary => sub ($c, $bytes) { $c->send({binary => $bytes}) });
};

app->start;
