// SPDX-License-Identifier: Apache-2.0
// The page of the chat rooms. What people write is put into the page as text, never as markup.
'use strict';

const MESSAGES_KEPT = 200; // in the page, a room
const TYPING_SHOWN_MS = 4000;
const TYPING_SENT_MS = 2000;
const LATENCY_EVERY_MS = 2000;
const SPARK_SAMPLES = 30;

const $ = (id) => document.getElementById(id);
const clientScript = document.querySelector('script[src$="socket.io.js"]');
const path = new URL(clientScript.src).pathname.replace(/socket\.io\.js$/, '');

const joined = new Map(); // room -> { people, messages, typing, unread }
let listed = []; // all rooms, as the server lists them
let current = null;
let name = '';

// --- Small things --------------------------------------------------------------------------

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function mark(element, attribute, on) {
  element.toggleAttribute(`data-${attribute}`, on);
}

function hue(text) {
  let sum = 7;
  for (const char of text) sum = (sum * 31 + char.codePointAt(0)) % 360;
  return String(sum);
}

function setStatus(state, text) {
  $('status').dataset.state = state;
  $('status').textContent = text;
}

function showError(text) {
  $('error').textContent = text || '';
}

function stored(key, value) {
  try {
    if (value !== undefined) localStorage.setItem(key, value);
    return localStorage.getItem(key) || '';
  } catch {
    return '';
  }
}

// --- What is on the page -------------------------------------------------------------------

function showRooms() {
  const counts = new Map(listed.map((entry) => [entry.room, entry.people]));
  for (const room of joined.keys()) if (!counts.has(room)) counts.set(room, 1);
  $('rooms').replaceChildren(...[...counts].map(([room, people]) => roomItem(room, people)));
  $('rooms-empty').hidden = counts.size > 0;
}

function roomItem(room, people) {
  const item = make('li');
  const go = make('button', 'go');
  go.type = 'button';
  go.append(make('span', 'title', room), make('span', 'count', String(people)));
  go.setAttribute('aria-label', `${room}, ${people} here`);
  go.addEventListener('click', () => (joined.has(room) ? show(room) : enter(room)));
  item.append(go);
  mark(item, 'current', room === current);
  mark(item, 'joined', joined.has(room));
  mark(item, 'unread', Boolean(joined.get(room)?.unread));
  if (room === current) go.setAttribute('aria-current', 'true');
  if (joined.has(room)) {
    const leave = make('button', 'leave', '×');
    leave.type = 'button';
    leave.title = `Leave ${room}`;
    leave.setAttribute('aria-label', leave.title);
    leave.addEventListener('click', () => exit(room));
    item.append(leave);
  }
  return item;
}

function showPeople() {
  const people = current === null ? new Map() : joined.get(current).people;
  const names = [...people].sort((a, b) => a[1].localeCompare(b[1]));
  $('people').replaceChildren(
    ...names.map(([id, text]) => {
      const item = make('li', '', text);
      item.style.setProperty('--hue', hue(text));
      mark(item, 'me', id === socket.id);
      return item;
    }),
  );
  $('people-empty').hidden = people.size > 0;
}

function messageItem(message) {
  const item = make('li');
  const at = new Date(message.at);
  const time = make('time', '', at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  const who = make('span', 'who', message.name);
  time.dateTime = at.toISOString();
  who.style.setProperty('--hue', hue(message.name));
  item.append(who, time, make('span', 'said', message.text));
  mark(item, 'mine', message.mine);
  return item;
}

function showMessages() {
  const messages = current === null ? [] : joined.get(current).messages;
  $('messages').replaceChildren(...messages.map(messageItem));
  $('messages').scrollTop = $('messages').scrollHeight;
}

function showTyping() {
  const names = current === null ? [] : [...joined.get(current).typing.values()].map((t) => t.name);
  let text = '';
  if (names.length === 1) text = `${names[0]} is typing…`;
  else if (names.length === 2) text = `${names[0]} and ${names[1]} are typing…`;
  else if (names.length > 2) text = 'Several people are typing…';
  $('typing').textContent = text;
}

function show(room, andFocus = true) {
  current = room;
  if (room !== null) joined.get(room).unread = false;
  $('room-title').textContent = room === null ? 'Join a room to begin' : `# ${room}`;
  $('text').disabled = $('send').disabled = room === null;
  showRooms();
  showPeople();
  showMessages();
  showTyping();
  if (room !== null && andFocus) $('text').focus();
}

// --- Rooms ---------------------------------------------------------------------------------

function addMessage(room, message) {
  const state = joined.get(room);
  if (state.messages.some((known) => known.id === message.id)) return false;
  message.mine = message.from === socket.id;
  state.messages.push(message);
  state.messages.sort((a, b) => a.id - b.id);
  if (state.messages.length > MESSAGES_KEPT) state.messages.shift();
  return true;
}

function welcome(answer) {
  const room = answer.room;
  if (!joined.has(room)) joined.set(room, { messages: [], unread: false });
  const state = joined.get(room);
  state.people = new Map(answer.people.map((person) => [person.id, person.name]));
  state.typing = new Map();
  for (const message of answer.messages) addMessage(room, message);
}

function enter(room, andShow = true) {
  name = $('name').value.trim() || name;
  if (!name) {
    showError('Please give a name first.');
    $('name').focus();
    return;
  }
  stored('zapnic-name', name);
  socket.timeout(5000).emit('join', { name, room }, (error, answer) => {
    if (error || answer.error) {
      showError(error ? 'The server did not answer.' : answer.error);
      return;
    }
    showError('');
    name = answer.name;
    welcome(answer);
    if (andShow) show(answer.room);
    else if (answer.room === current) show(current, false);
    else showRooms();
  });
}

function exit(room) {
  socket.emit('leave', { room }, () => {});
  joined.delete(room);
  if (room === current) show(joined.size > 0 ? [...joined.keys()][0] : null);
  else showRooms();
}

// --- Connection ----------------------------------------------------------------------------

if (typeof io === 'undefined') {
  setStatus('off', 'The client script did not load');
  throw new Error(`no client at ${clientScript.src}`);
}
const socket = io({ path });

function showTransport() {
  $('transport').textContent = socket.connected ? socket.io.engine.transport.name : 'not connected';
}

socket.on('connect', () => {
  setStatus('on', 'Connected');
  showTransport();
  socket.io.engine.once('upgrade', showTransport);
  for (const room of joined.keys()) enter(room, false);
});

socket.on('disconnect', (reason) => {
  setStatus('wait', 'Reconnecting…');
  showTransport();
  for (const element of ['connections', 'rate', 'latency']) $(`panel-${element}`).textContent = '–';
  // After this one the client does not try again by itself.
  if (reason === 'io server disconnect') socket.connect();
});

socket.on('connect_error', () => setStatus('wait', 'No connection, trying again…'));

socket.on('rooms', (rooms) => {
  listed = rooms;
  showRooms();
});

socket.on('message', (message) => {
  const state = joined.get(message.room);
  if (!state || !addMessage(message.room, message)) return;
  state.typing.delete(message.from);
  if (message.room !== current) {
    state.unread = true;
    showRooms();
    return;
  }
  const list = $('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  list.append(messageItem(message));
  while (list.children.length > MESSAGES_KEPT) list.firstChild.remove();
  if (atEnd || message.mine) list.scrollTop = list.scrollHeight;
  showTyping();
});

socket.on('joined', ({ room, id, name: who }) => {
  joined.get(room)?.people.set(id, who);
  if (room === current) showPeople();
});

socket.on('left', ({ room, id }) => {
  const state = joined.get(room);
  if (!state) return;
  state.people.delete(id);
  state.typing.delete(id);
  if (room === current) {
    showPeople();
    showTyping();
  }
});

socket.on('typing', ({ room, id, name: who, on }) => {
  const state = joined.get(room);
  if (!state) return;
  if (on) state.typing.set(id, { name: who, until: Date.now() + TYPING_SHOWN_MS });
  else state.typing.delete(id);
  if (room === current) showTyping();
});

setInterval(() => {
  for (const state of joined.values())
    for (const [id, typing] of state.typing) if (typing.until < Date.now()) state.typing.delete(id);
  showTyping();
}, 1000);

// --- Writing -------------------------------------------------------------------------------

let typingUntil = 0;

function sayTyping(on) {
  if (current === null || !socket.connected) return;
  if (on && Date.now() < typingUntil) return;
  if (!on && typingUntil === 0) return;
  typingUntil = on ? Date.now() + TYPING_SENT_MS : 0;
  socket.volatile.emit('typing', { room: current, on });
}

$('text').addEventListener('input', () => sayTyping($('text').value !== ''));

$('compose').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text || current === null) return;
  typingUntil = 0;
  $('text').value = '';
  socket.emit('message', { room: current, text }, (answer) => showError(answer.error));
});

$('entry').addEventListener('submit', (event) => {
  event.preventDefault();
  enter($('room').value.trim());
});

// --- The live panel ------------------------------------------------------------------------

const samples = [];

socket.on('stats', ({ connections, rate }) => {
  $('panel-connections').textContent = connections.toLocaleString();
  $('panel-rate').textContent = rate.toLocaleString();
});

function drawSpark() {
  const canvas = $('spark');
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext('2d');
  const top = Math.max(1, ...samples);
  pen.scale(scale, scale);
  pen.strokeStyle = getComputedStyle(canvas).color;
  pen.lineWidth = 1.5;
  pen.lineJoin = 'round';
  pen.beginPath();
  samples.forEach((ms, i) => {
    const x = (width * (SPARK_SAMPLES - samples.length + i)) / (SPARK_SAMPLES - 1);
    pen.lineTo(x, height - 3 - ((height - 6) * ms) / top);
  });
  pen.stroke();
}

function measure() {
  if (!socket.connected) return;
  const begun = performance.now();
  socket.timeout(LATENCY_EVERY_MS).emit('latency', (error) => {
    if (error) return;
    const ms = performance.now() - begun;
    samples.push(ms);
    if (samples.length > SPARK_SAMPLES) samples.shift();
    $('panel-latency').textContent = `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
    drawSpark();
  });
}

setInterval(measure, LATENCY_EVERY_MS);
socket.on('connect', measure);
$('name').value = stored('zapnic-name');
