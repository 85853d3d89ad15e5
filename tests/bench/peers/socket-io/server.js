// A broadcast to a room with Socket.IO, as its documentation shows it.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const server = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
server.on('connection', socket => {
  socket.join('all');
  socket.on('m', text => server.to('all').emit('m', text));
});
http.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`Listening on ws://127.0.0.1:${http.address().port}`));
