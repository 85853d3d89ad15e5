// A bare broadcast with ws, as its documentation shows it.
import { WebSocket, WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 4096, perMessageDeflate: false });
server.on('listening', () => console.log(`Listening on ws://127.0.0.1:${server.address().port}`));
server.on('connection', socket => {
  socket.on('error', () => {});
  socket.on('message', data => {
    const text = data.toString();
    for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
  });
});
