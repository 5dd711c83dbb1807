// The least that a JSON-RPC server over WebSocket can do: reads a request, writes an answer that it was given before.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

interface Request {
  id: number;
  params: { name: string; answer?: unknown };
}

const answers = new Map<string, unknown>();
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    const { id, params } = JSON.parse(data.toString()) as Request;
    if (params.answer !== undefined) answers.set(params.name, params.answer);
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: answers.get(params.name) }));
  });
});
http.listen(process.argv[2], () => process.stdout.write('listening\n'));
