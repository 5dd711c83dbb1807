<?php
/**
 * A client of imap-broker in one file, for PHP 8.1 or later; wss needs the extension openssl. It blocks, opens its socket at the
 * first call, and is made for short-lived and forked workers. docs/php-and-python.md shows how to use it.
 */
declare(strict_types=1);

namespace ImapBroker;

/**
 * A request that failed. `kind` is what to switch on: a kind of docs/protocol.md, or UNREACHABLE where no socket could be opened.
 * `executed` tells whether the request had an effect at the IMAP server: no, maybe or yes; never falsely no. `retryAfterMs` is null
 * where another try makes no sense; `imap` has the IMAP server's own words. The code is that of JSON-RPC, or 0.
 */
final class BrokerError extends \RuntimeException {
    public function __construct(public readonly string $kind, string $message, public readonly string $executed = 'no',
        public readonly ?int $retryAfterMs = null, public readonly ?string $field = null,
        public readonly ?array $imap = null, int $code = 0) {
        parent::__construct($message, $code);
    }
}

/** A client of a broker, or of several brokers behind one address. */
final class Client {
    /** Methods that may be sent again without harm. Of all others it matters what became of the first request. */
    private const REPEATABLE = '/^(session\.\w+|mailbox\.(list|status|info|acl|metadata|changes)|quota\.get|broker\.ping|'
        . 'message\.(list|get|part|source|search|threads?)|watch\.(start|stop)|events\.resume|rpc\.discover)$/D';
    /** Errors that end a watch: waiting does not cure them. */
    private const LASTING = '/^(SESSION_EXPIRED|IMAP_AUTH_FAILED|IMAP_TOKEN_EXPIRED|UNAUTHENTICATED|FORBIDDEN|INVALID_\w+)$/D';
    private \ArrayObject $links; // The socket of each shard, shared with the clients that withSession() makes.
    private \Closure $session; // Answers the params that each call has.

    /**
     * `$url` is ws://HOST:PORT, wss://HOST:PORT or unix:/PATH. It and `$token` default to IMAP_BROKER_URL and IMAP_BROKER_TOKEN of the
     * environment. `$timeoutMs` is for requests that name none, `$connectTimeoutMs` for the socket. `$caFile` is the authority of the
     * broker's certificate; `$verify` false takes any. `$shards` is the number of shards that all applications of a cluster share.
     */
    public function __construct(private ?string $url = null, #[\SensitiveParameter] private ?string $token = null,
        private int $timeoutMs = 30_000, private int $connectTimeoutMs = 5_000, private ?string $caFile = null,
        private bool $verify = true, private ?int $shards = null) {
        $this->url ??= (string) getenv('IMAP_BROKER_URL');
        $this->token ??= (string) getenv('IMAP_BROKER_TOKEN');
        [$this->links, $this->session] = [new \ArrayObject(), static fn (): array => []];
        $this->target(0);
        $why = 'token: it has blanks, or is not ASCII.';
        if (preg_match('/[^!-~]/', $this->token)) throw new BrokerError('INVALID_PARAMS', $why, field: 'token');
    }

    /** The same client with the session filled in: a token, or a function that answers the current token. */
    public function withSession(#[\SensitiveParameter] string|\Closure $session): self {
        $client = clone $this;
        $client->session = static fn (): array => ['session' => is_string($session) ? $session : $session()];
        return $client;
    }

    /**
     * Calls a method of docs/protocol.md and answers its result. The bytes of message.part and message.source are its `body`, a
     * generator of strings. message.append takes `content`: a string, or a stream resource with its `size`, which files need not.
     */
    public function call(string $method, array $params = []): array {
        $deadline = Link::now() + ($params['timeoutMs'] ?? $this->timeoutMs) / 1000;
        [$params, $lost, $epoch] = [$params + ($this->session)(), null, ''];
        $repeatable = preg_match(self::REPEATABLE, $method) === 1;
        for ($attempt = 1;; ++$attempt) {
            $link = null;
            try {
                $shard = $this->shard($method, $params);
                $link = $this->links[$shard] ?? null;
                if (!$link?->ready()) $link = $this->links[$shard] = $this->open($shard, $deadline);
                // A write with a key is repeated at the broker that took it: no other is sure to know the key.
                if ($lost !== null && $link->epoch !== $epoch) throw $lost;
                return $link->request($method, $params, $deadline, $repeatable ? 'no' : 'maybe');
            } catch (BrokerError $error) {
                $drained = $error->kind === 'DRAINING' && $error->executed === 'no';
                $cut = $error->kind === 'CONNECTION_LOST' && $link?->usable === false && $error !== $lost;
                $again = $drained || ($cut && ($repeatable || isset($params['idempotencyKey'])));
                if (!$again || $attempt > 2 || is_resource($params['content'] ?? null)) {
                    throw $error->executed === 'no' ? $lost ?? $error : $error;
                }
                if ($drained) $link->usable = false;
                elseif (!$repeatable) [$lost, $epoch] = [$error, $link->epoch];
            }
        }
    }

    /**
     * Answers what changes in folders, each event once and without end, over lost sockets and restarts of the broker, on a socket
     * of its own. An event of type resync names `mailboxes` to be listed (again): at first, and where changes were missed.
     * `$params` are those of watch.start. With `$idleMs` it answers null each time that nothing has come for so long.
     */
    public function watch(array $params, ?int $idleMs = null): \Generator {
        for ($link = $at = null, $failures = 0;; $link?->close()) {
            try {
                [$request, $deadline] = [$params + ($this->session)() + ($at ?? []), Link::now() + $this->timeoutMs / 1000];
                $link = $this->open($this->shard('', $request), $deadline);
                $begun = $link->request($at === null ? 'watch.start' : 'events.resume', $request, $deadline, 'no');
                $missed = $at === null || $begun['resync'] ? $params['mailboxes'] : $begun['missing'];
                if ($at === null || $begun['resync']) $at = ['epoch' => $begun['epoch'], 'after' => $begun['seq']];
                if ($missed !== []) yield ['type' => 'resync', 'mailboxes' => $missed];
                for ($failures = 0; ($event = $link->event($idleMs)) !== false; yield $event) {
                    $at['after'] = $event['seq'] ?? $at['after'];
                }
            } catch (BrokerError $error) {
                if ($at === null || preg_match(self::LASTING, $error->kind)) throw $error;
                $pause = random_int(0, min(10_000, 100 << min(++$failures, 10))); // So that workers do not come back in step.
                usleep(1000 * max($pause, min($error->retryAfterMs ?? 0, 60_000)));
            }
        }
    }

    /** Closes the sockets; a later call opens another. */
    public function close(): void {
        foreach ($this->links as $link) $link->close();
        $this->links->exchangeArray([]);
    }

    /** The shard of a user, which a session token tells as well: docs/protocol.md, "Shards". */
    private function shard(string $method, array $params): int {
        if ($this->shards === null) return 0;
        $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS;
        $user = (string) json_encode([$params['server'] ?? '', $params['user'] ?? ''], $flags);
        $head = json_decode((string) base64_decode(strtr(explode('.', $params['session'] ?? '')[0], '-_', '+/')), true);
        return hexdec($method === 'session.open' ? substr(hash('sha256', $user), 0, 8) : $head['shard'] ?? '0') % $this->shards;
    }

    /** Address of the socket, value of the header Host, and path with query. */
    private function target(int $shard): array {
        $form = '~^(?:(wss?)://([\w.-]+|\[[\w:.]+\])(:\d+)?(/[!->@-\~]*)?|unix:([^?]+))(\?[!-\~]*)?$~D';
        $why = "url: \"$this->url\" is not ws://HOST:PORT, wss://HOST:PORT or unix:/PATH.";
        if (!preg_match($form, $this->url, $found, PREG_UNMATCHED_AS_NULL)) throw new BrokerError('INVALID_PARAMS', $why, field: 'url');
        [, $scheme, $name, $port, $path, $file, $query] = $found;
        if ($this->shards !== null) $query .= ($query === null ? '?' : '&') . "shard=$shard";
        $host = $name . ($port ?? ($scheme === 'ws' ? ':80' : ':443'));
        if ($file !== null) return ["unix://$file", 'localhost', "/$query"];
        return [($scheme === 'ws' ? 'tcp' : 'ssl') . "://$host", $host, ($path ?? '/') . $query];
    }

    /** Opens a socket, with further tries for a while: the broker may be about to restart. */
    private function open(int $shard, float $deadline): Link {
        $until = min($deadline, Link::now() + $this->connectTimeoutMs / 1000);
        $tls = ['verify_peer' => $this->verify, 'verify_peer_name' => $this->verify] + array_filter(['cafile' => $this->caFile]);
        for ($pause = 100;; $pause = min(2 * $pause, 1000)) {
            try {
                return new Link($this->target($shard), $tls, $this->token, $until);
            } catch (BrokerError $error) {
                if ($error->retryAfterMs === null || Link::now() + $pause / 1000 >= $until) throw $error;
                usleep(1000 * random_int(10, $pause));
            }
        }
    }
}

/** One WebSocket to a broker (RFC 6455), for one request or download at a time; the client opens another where it is lost or busy. */
final class Link {
    private const MOST_BYTES = 16 * 1024 * 1024; // Of a message that is taken.
    private const PIECE = 65_536, CREDIT = 262_144; // Bytes of a stream: in one frame, and before the receiver allows more.
    private const GRACE = 2, STALL = 30; // Seconds: for the broker's own word on a deadline, and without bytes of a download.
    public bool $usable = false; // Whether the broker takes requests.
    public string $epoch = ''; // Of the broker.
    private $socket;
    private int $pid, $opcode = 0, $id = 0, $upload = -1, $credit = 0;
    private bool $busy = false; // From a request to its answer or the end of its download; for ever where a signal interrupts.
    private string $message = '', $executed = 'no'; // The fragments of a message; what an error says of the request.
    private float $deadline, $heard, $patience = INF;

    /** Opens the socket and reads the broker's hello. */
    public function __construct(array $target, array $tls, #[\SensitiveParameter] string $token, float $deadline) {
        [[$address, $host, $path], $this->pid, $this->heard, $this->deadline] = [$target, getmypid(), self::now(), $deadline];
        $options = stream_context_create(['socket' => ['tcp_nodelay' => true], 'ssl' => $tls]);
        set_error_handler(static function (int $level, string $text) use (&$why): bool {
            return (bool) $why .= strtr($text, "\n", ' ') . ' ';
        });
        $this->socket = stream_socket_client($address, $no, $text, max(0.01, $deadline - $this->heard), STREAM_CLIENT_CONNECT, $options);
        restore_error_handler();
        try {
            if (!$this->socket) throw $this->ended(trim($why));
            stream_set_chunk_size($this->socket, self::PIECE);
            $key = base64_encode(random_bytes(16));
            $this->write("GET $path HTTP/1.1\r\nHost: $host\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                . "Sec-WebSocket-Protocol: imap-broker.v1\r\nSec-WebSocket-Key: $key\r\n"
                . ($token === '' ? '' : "Authorization: Bearer $token\r\n") . "\r\n");
            for ($head = ''; !str_ends_with($head, "\r\n\r\n") && strlen($head) < 16_384;) $head .= $this->read(1);
            $accept = preg_quote(base64_encode(sha1($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11', true)), '~');
            $status = (int) substr($head, 9, 3);
            $accepted = preg_match("~^(?i:sec-websocket-accept): *$accept\s*$~m", $head) === 1;
            if ($status !== 101 || !$accepted) throw $this->ended("HTTP status $status");
            $hello = $this->next()['params'] ?? [];
            $greeted = is_string($hello['epoch'] ?? null) && is_int($hello['heartbeatMs'] ?? null) && $hello['heartbeatMs'] > 0;
            if (!$greeted) throw $this->ended('the broker said no hello');
        } catch (BrokerError $error) {
            $kind = [400 => 'INVALID_REQUEST', 401 => 'UNAUTHENTICATED', 403 => 'FORBIDDEN'][$status ?? 0] ?? 'UNREACHABLE';
            $retry = $kind === 'UNREACHABLE' && !str_contains($why ?? '', 'certificate') ? 100 : null;
            throw new BrokerError($kind, "No socket to the broker at $address. {$error->getMessage()}", retryAfterMs: $retry);
        }
        [$this->usable, $this->epoch, $this->patience] = [true, $hello['epoch'], $hello['heartbeatMs'] / 400];
    }

    public function __destruct() { $this->close(); }

    public static function now(): float { return hrtime(true) / 1e9; }

    /** Whether a request may be sent; takes what has come meanwhile, such as pings and the broker's goodbye. */
    public function ready(): bool {
        if ($this->busy) return false;
        [$this->deadline, $this->executed, $this->busy] = [self::now() + 1, 'no', true];
        try {
            while ($this->usable && $this->next(true) !== null);
        } catch (BrokerError) {} // It is not usable then.
        $this->busy = false;
        return $this->usable && self::now() - $this->heard < $this->patience;
    }

    /** Sends a request and answers its result; `$executed` is what an error of the socket says. */
    public function request(string $method, array $params, float $deadline, string $executed): array {
        [$this->deadline, $this->executed, $this->credit] = [$deadline + self::GRACE, $executed, self::CREDIT];
        [$content, $answer, $this->busy] = [$params['content'] ?? null, null, true];
        $params = ['timeoutMs' => max(1, (int) ceil(1000 * ($deadline - self::now())))] + array_diff_key($params, ['content' => 0]);
        // A message of up to 1 MiB goes inline, in one frame; a longer one, and a stream, as an upload.
        if (is_string($content) && strlen($content) <= 1024 * 1024) [$params['data'], $content] = [base64_encode($content), null];
        elseif ($content !== null) {
            $params['size'] ??= is_string($content) ? strlen($content) : fstat($content)['size'] - ftell($content);
            $params['stream'] = $this->upload += 2;
        }
        $this->send(1, ['id' => ++$this->id, 'method' => $method, 'params' => $params]);
        for ($at = 0, $bytes = 'more'; $content !== null && $bytes !== ''; $at += strlen($bytes)) {
            $bytes = is_string($content) ? substr($content, $at, self::PIECE) : (string) fread($content, self::PIECE);
            if (($answer = $this->answer(strlen($bytes))) !== null) break; // The broker takes no more.
            $this->credit -= strlen($bytes);
            $this->send(2, pack('CN', $bytes === '' ? 2 : 1, $this->upload) . $bytes);
        }
        ['error' => $error, 'result' => $result] = ($answer ?? $this->answer()) + ['error' => null, 'result' => null];
        [$data, $this->busy] = [$error['data'] ?? null, false];
        if (is_string($data['kind'] ?? null) && is_string($data['executed'] ?? null)) {
            throw new BrokerError($data['kind'], is_string($error['message'] ?? null) ? $error['message'] : '', $data['executed'],
                isset($data['retryAfterMs']) ? (int) $data['retryAfterMs'] : null,
                is_string($data['field'] ?? null) ? $data['field'] : null,
                is_array($data['imap'] ?? null) ? $data['imap'] : null, (int) ($error['code'] ?? 0));
        }
        if (!is_array($result)) throw $this->ended('the broker sent an answer without result or error', 4400);
        $this->executed = 'no';
        if ($method !== 'message.part' && $method !== 'message.source') return $result;
        ['stream' => $stream, 'data' => $data] = $result + ['stream' => null, 'data' => null];
        if (!is_int($stream) && !is_string($data)) throw $this->ended('the broker sent an answer without bytes', 4400);
        $body = is_int($stream) ? $this->body($stream) : (static fn (): \Generator => yield base64_decode($data))();
        $body->current(); // It has begun, so that its end is run wherever it is left.
        return ['body' => $body] + array_diff_key($result, ['stream' => 0, 'data' => 0]);
    }

    /** The next event of a watch; null where none has come for so long; false where the broker sends no more of them. */
    public function event(?int $idleMs): array|null|false {
        $this->deadline = self::now() + ($idleMs ?? INF) / 1000;
        do $message = $this->next();
        while ($message !== null && !in_array($message['method'] ?? '', ['event', 'watch.ended', 'broker.draining'], true));
        return $message === null ? null : ($message['method'] === 'event' ? (array) ($message['params'] ?? []) : false);
    }

    public function close(int $code = 1000): void {
        [$socket, $this->socket, $this->usable] = [$this->socket, null, false];
        // A process that was forked has the socket of its parent, and must not say goodbye for it.
        if ($socket && $this->pid === getmypid()) @fwrite($socket, self::frame(8, pack('n', $code)));
        if ($socket) fclose($socket);
    }

    /** The answer to the request; null as soon as an upload may send so many bytes. */
    private function answer(int $bytes = PHP_INT_MAX): ?array {
        while ($this->credit < $bytes) {
            if (($message = $this->next()) === null) throw $this->ended('no answer in time', kind: 'DEADLINE');
            if (($message['method'] ?? '') === '$/credit') $this->credit += (int) ($message['params']['bytes'] ?? 0);
            if (!is_array($message) || isset($message['method'])) continue;
            if (($message['id'] ?? null) !== $this->id) throw $this->ended('the broker sent an answer to no request', 4400);
            return $message;
        }
        return null;
    }

    /** The bytes of a download, behind an empty piece. */
    private function body(int $stream): \Generator {
        [$this->busy, $taken, $bytes, $type] = [true, 0, '', 1];
        try {
            while ($type === 1) {
                yield $bytes;
                [$type, $this->deadline] = [0, self::now() + self::STALL];
                if (($taken += strlen($bytes)) >= self::CREDIT / 2) {
                    $this->send(1, ['method' => '$/credit', 'params' => ['stream' => $stream, 'bytes' => $taken]]);
                    $taken = 0;
                }
                // Notifications are passed over, and what is still under way of a download that was left.
                do $frame = $this->next(); while (is_array($frame) || ($frame !== null && unpack('N', $frame, 1)[1] !== $stream));
                if ($frame === null) throw new BrokerError('STREAM_STALLED', 'The broker sent no bytes of a download for too long.');
                [$type, $bytes] = [ord($frame), substr($frame, 5)];
            }
            $why = json_decode($bytes, true);
            $kind = is_string($why['kind'] ?? null) ? $why['kind'] : 'CONNECTION_LOST';
            $why = is_string($why['message'] ?? null) ? $why['message'] : 'it says not why';
            if ($type > 2) throw new BrokerError($kind, "The broker aborted the download: $why.");
        } finally {
            // Type 1: the reader left. Type 0: something interrupted the wait, so that the socket is of no use any more.
            [$this->busy, $this->deadline] = [$type === 0, self::now() + 1];
            try {
                if ($type === 1 && $this->socket && $this->pid === getmypid()) $this->send(2, pack('CN', 3, $stream));
            } catch (BrokerError) {}
        }
    }

    /** The next message: JSON of a text, or the bytes of a binary frame; null where none comes in time or, to poll, is there. */
    private function next(bool $poll = false): array|string|null {
        while (($left = $this->deadline - self::now()) > 0) {
            if (!$this->socket || $this->pid !== getmypid()) throw $this->ended('it is closed, or that of another process');
            [$read, $none, $wait] = [[$this->socket], null, $poll ? 0.0 : min($left, $this->patience, 3600)];
            $ready = @stream_select($read, $none, $none, (int) $wait, (int) (1e6 * fmod($wait, 1)));
            if ($ready === 0 && ($poll || $wait === $left)) return null;
            if ($ready === 0 && $wait === $this->patience) throw $this->ended('the broker is silent');
            if (!$ready) continue; // A signal came.
            [$first, $size] = array_map('ord', str_split($this->read(2)));
            if ($first & 0x70 || $size > 127) throw $this->ended('the broker sent a masked frame, or what is no frame', 4400);
            if ($size > 125) $size = $size === 126 ? unpack('n', $this->read(2))[1] : unpack('J', $this->read(8))[1];
            $fits = $size >= 0 && $size + strlen($this->message) <= self::MOST_BYTES;
            if (!$fits) throw $this->ended('the broker sent more than 16 MiB', 4400);
            [$payload, $opcode, $this->heard] = [$this->read($size), $first & 15, self::now()];
            if ($opcode === 8) throw $this->ended('close code ' . (unpack('n', $payload . "\x03\xed")[1]));
            if ($opcode === 9) $this->send(10, $payload);
            if ($opcode > 2) continue;
            [$this->opcode, $this->message] = [$opcode ?: $this->opcode, $this->message . $payload];
            if ($first < 128) continue; // Another fragment follows.
            [$message, $this->message] = [$this->message, ''];
            if ($this->opcode === 2 && strlen($message) > 4) return $message;
            $json = json_decode($message, true);
            if (($json['jsonrpc'] ?? '') !== '2.0') throw $this->ended('the broker sent what is no JSON-RPC 2.0', 4400);
            if (($json['method'] ?? '') === 'broker.draining') $this->usable = false;
            return $json;
        }
        return null;
    }

    /** Waits for so many bytes. */
    private function read(int $size): string {
        for ($bytes = ''; strlen($bytes) < $size; $bytes .= $more) {
            $this->limit();
            $more = (string) @fread($this->socket, $size - strlen($bytes));
            if ($more === '' && stream_get_meta_data($this->socket)['eof']) throw $this->ended('it was cut');
        }
        return $bytes;
    }

    private function write(string $bytes): void {
        $this->limit();
        if (@fwrite($this->socket, $bytes) !== strlen($bytes)) throw $this->ended('it takes no more bytes');
    }

    /** Bounds the next read or write by the deadline. */
    private function limit(): void {
        $left = min($this->deadline - self::now(), self::STALL);
        if (!$this->socket) throw $this->ended('it is closed');
        if ($left <= 0) throw $this->ended('no bytes in time', kind: 'DEADLINE');
        stream_set_timeout($this->socket, (int) $left, (int) (1e6 * fmod($left, 1)) + 1);
    }

    private function send(int $opcode, string|array $payload): void {
        // Bytes that are no UTF-8 become U+FFFD: no folder and no user has such a name.
        $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE;
        if (is_array($payload)) $payload = json_encode(['jsonrpc' => '2.0'] + $payload, $flags);
        $this->write(self::frame($opcode, $payload));
    }

    /** A frame as a client sends it: masked, by one XOR of strings. */
    private static function frame(int $opcode, string $payload): string {
        [$size, $mask] = [strlen($payload), random_bytes(4)];
        $length = $size < 126 ? chr(128 + $size) : ($size < 65_536 ? pack('Cn', 254, $size) : pack('CJ', 255, $size));
        return chr(128 + $opcode) . $length . $mask . ($payload ^ str_repeat($mask, intdiv($size, 4) + 1));
    }

    /** Closes the socket, of which no more is to be expected, and answers the error of that. */
    private function ended(string $why, int $code = 1000, string $kind = 'CONNECTION_LOST'): BrokerError {
        $this->close($code);
        return new BrokerError($kind, "The socket to the broker ended: $why.", $this->executed);
    }
}
