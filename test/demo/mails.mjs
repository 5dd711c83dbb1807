// @ts-check
// What is in the demo's mailbox: folder, sender, subject, days ago, flags, text, and now and then more.

/** @typedef {{ folder: string, from: string, subject: string, days: number, seen?: boolean, flagged?: boolean, answered?: boolean, text: string, html?: string, attachment?: { name: string, type: string, bytes: Buffer } }} Mail */

const people = {
  anna: 'Anna Lindqvist <anna@example.com>',
  bo: 'Bo Sørensen <bo@harbour-books.example>',
  carla: 'Carla Méndez <carla.mendez@studio-norte.example>',
  dilip: 'Dilip Rao <dilip@example.com>',
  emi: '森 絵美 <emi@mori-paper.example>',
  frank: 'Frank Osei <frank.osei@example.com>',
  greta: 'Greta Weiß <greta@weiss-druck.example>',
  henk: 'Henk de Vries <henk@kade11.example>',
  irina: 'Ирина Соколова <irina@sokolova.example>',
  jo: 'Jo Park <jo@example.com>',
  library: 'City Library <no-reply@library.example>',
  rail: 'Nordrail <tickets@nordrail.example>',
  bank: 'Kontor Bank <service@kontorbank.example>',
  spam: 'PRIZE OFFICE <winner@prize-office.example>',
};

/** The catalogue that is attached to one message: about 2 MB of bytes that do not compress. */
export const catalogue = pdfOf(2_000_000);

/** @type {Mail[]} */
export const mails = [
  inbox('greta', 'Catalogue, final proof', 0, {
    text: 'Hello Anna,\n\nattached is the final proof. Page 14 has the new paper stock; please check the two photographs at the\nbottom of page 31. If we hear nothing by Thursday noon we start printing.\n\nKind regards\nGreta',
    html: '<p>Hello Anna,</p><p>attached is the <b>final proof</b>. Page 14 has the new paper stock; please check the two photographs at the bottom of page 31. If we hear nothing by Thursday noon we start printing.</p><p>Kind regards<br>Greta</p>',
    attachment: { name: 'Katalog Frühjahr.pdf', type: 'application/pdf', bytes: catalogue },
  }),
  inbox('dilip', 'Lunch on Friday?', 0, {
    text: 'The new place by the canal has a table at 12:30. Shall I take it?\n\nDilip',
  }),
  inbox('bo', 'Re: Shelf space for the spring titles', 1, {
    text: 'Hi Anna,\n\nwe can give you two shelves from March on, one of them at the window. The invoice goes to the usual address?\n\nBo',
    flagged: true,
  }),
  inbox('emi', '見本紙について', 1, {
    text: 'リンクヴィスト様\n\n見本紙を三種類お送りしました。金曜日までに届く予定です。\n\n森',
  }),
  inbox('carla', 'Fotografías de la página 31', 1, {
    text: 'Hola Anna:\n\nte mando mañana las dos fotos en alta resolución. ¿Te sirve TIFF?\n\nUn abrazo\nCarla',
    html: '<p>Hola Anna:</p><p>te mando mañana las dos fotos en alta resolución. ¿Te sirve <i>TIFF</i>?</p><p>Un abrazo<br>Carla</p>',
  }),
  inbox('rail', 'Your ticket to Göteborg, 27 November', 2, {
    text: 'Booking NR-4471-GBG\nCoach 3, seat 41, window\nDeparture 07:52 from platform 4',
    html: '<table><tr><td>Booking</td><td>NR-4471-GBG</td></tr><tr><td>Coach</td><td>3, seat 41, window</td></tr><tr><td>Departure</td><td>07:52, platform 4</td></tr></table>',
    seen: true,
  }),
  inbox('irina', 'Перевод: вторая глава', 2, {
    text: 'Здравствуйте, Анна!\n\nВторая глава готова, пришлю завтра вечером.\n\nИрина',
    seen: true,
  }),
  inbox('frank', 'Minutes of Tuesday', 3, {
    text: '1. Print run: 1,200 copies\n2. Launch: 14 March, 18:00\n3. Frank asks the library about the room\n4. Next meeting: Tuesday, 10:00',
    seen: true,
    answered: true,
  }),
  inbox('library', 'Two books are due on Monday', 3, {
    text: 'The Paper Trail (due Monday)\nA History of Type (due Monday)\n\nRenew them at the desk or by phone.',
  }),
  inbox('henk', 'Keys for the storage room', 4, {
    text: 'Anna, the keys are with the porter at number 11. Ring twice.\n\nHenk',
    seen: true,
  }),
  inbox('jo', 'Photos from Saturday', 5, { text: 'Some of them are even in focus!\n\nJo', seen: true, flagged: true }),
  inbox('bank', 'Your statement for October is ready', 6, {
    text: 'Your statement for October is ready in your mailbox at the bank.',
    seen: true,
  }),
  inbox('dilip', 'Re: Print run', 7, { text: '1,200 it is. I told Greta.\n\nDilip', seen: true }),
  inbox('carla', 'Cover, third try', 8, {
    text: 'The blue is darker now and the title sits a little higher.\n\nCarla',
    seen: true,
    answered: true,
  }),
  inbox('greta', 'Quotation 2211 for 1,200 copies', 9, {
    text: 'Dear Anna,\n\n1,200 copies, 96 pages, thread-sewn: 4,380.00 net. The offer holds until 30 November.\n\nGreta',
    seen: true,
  }),
  inbox('frank', 'Room for the launch', 10, {
    text: 'The library gives us the reading room until 21:00, chairs included.\n\nFrank',
    seen: true,
  }),
  inbox('bo', 'Shelf space for the spring titles', 11, {
    text: 'Hi Anna, how many titles do you plan for spring?\n\nBo',
    seen: true,
    answered: true,
  }),
  inbox('irina', 'Перевод: первая глава', 13, {
    text: 'Первая глава во вложении не поместилась, отправила по частям.\n\nИрина',
    seen: true,
  }),
  inbox('emi', '紙の見積もり', 14, { text: 'お見積もりは一枚あたり四十二円です。\n\n森', seen: true }),
  inbox('henk', 'Pallets on Wednesday', 16, {
    text: 'Two pallets come on Wednesday between 8 and 10. Somebody must sign.\n\nHenk',
    seen: true,
  }),
  inbox('jo', 'Are you coming on Saturday?', 17, {
    text: 'We meet at the boathouse at two. Bring a scarf.\n\nJo',
    seen: true,
  }),
  inbox('rail', 'Timetable change from 13 December', 19, {
    text: 'Train 512 leaves four minutes earlier from 13 December on.',
    seen: true,
  }),
  to('Sent', 'Re: Minutes of Tuesday', 3, 'Thank you, Frank. I would add the caterer to point 2.\n\nAnna'),
  to('Sent', 'Re: Cover, third try', 8, 'Carla, this is it. Please leave the title where it is now.\n\nAnna'),
  to('Sent', 'Re: Shelf space for the spring titles', 10, 'Hi Bo, six titles, the first two in March.\n\nAnna'),
  to('Sent', 'Print run', 8, 'Dilip, do 1,200 copies fit the budget?\n\nAnna'),
  to(
    'Sent',
    'Paper samples',
    15,
    'Dear Ms Mori, could you send samples of the 90, 100 and 120 gram stock?\n\nAnna Lindqvist',
  ),
  to('Drafts', 'Invitation to the launch', 1, 'Dear friends of the press,\n\non 14 March at 18:00 we '),
  to('Drafts', 'Re: Lunch on Friday?', 0, 'Yes, take it! '),
  ...[
    ['greta', 'Invoice 2198', 40, 'Invoice 2198 over 1,120.00, payable within 30 days.\n\nGreta'],
    ['greta', 'Invoice 2154', 75, 'Invoice 2154 over 980.00, payable within 30 days.\n\nGreta'],
    ['henk', 'Rent of the storage room, third quarter', 60, 'Rent for July to September: 540.00.\n\nHenk'],
    ['carla', 'Factura 88', 55, 'Adjunto la factura de las fotografías de septiembre.\n\nCarla'],
  ].map((row) => filed('Work/Invoices', row)),
  ...[
    ['frank', 'Launch: list of guests', 20, 'Sixty-two names so far, eleven of them from the press.\n\nFrank'],
    ['dilip', 'Launch: budget', 22, 'Room 0, wine 300, flowers 80, posters 240.\n\nDilip'],
    ['jo', 'Launch: music?', 24, 'My sister plays the cello and would come for a copy of the book.\n\nJo'],
  ].map((row) => filed('Work/Launch', row)),
  ...[
    ['library', 'Your new library card', 200, 'Your card is valid for two years.'],
    ['bank', 'Change of our terms', 180, 'Our terms change on 1 July. You need not do anything.'],
  ].map((row) => filed('Archive', row)),
  ...[
    ['spam', 'You have WON 4,000,000', 2, 'Send us your bank details to receive your prize.'],
    ['spam', 'Final notice of your prize', 1, 'This is the final notice. Act now.'],
  ].map((row) => ({ ...filed('Junk', row), seen: false })),
  filed('Trash', ['rail', 'Seat sale: Malmö from 19', 30, 'This week only.']),
];

/** @param {keyof typeof people} from @param {string} subject @param {number} days @param {object} rest @returns {Mail} */
function inbox(from, subject, days, rest) {
  return /** @type {Mail} */ ({ folder: 'INBOX', from: people[from], subject, days, ...rest });
}

/** @param {string} folder @param {string} subject @param {number} days @param {string} text @returns {Mail} */
function to(folder, subject, days, text) {
  return { folder, from: people.anna, subject, days, seen: true, text };
}

/** @param {string} folder @param {any[]} row @returns {Mail} */
function filed(folder, [from, subject, days, text]) {
  return { folder, from: people[/** @type {keyof typeof people} */ (from)], subject, days, seen: true, text };
}

/** @param {number} size */
function pdfOf(size) {
  const bytes = Buffer.alloc(size);
  let state = 2_463_534_242;
  for (let at = 0; at + 4 <= size; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, at);
  }
  bytes.write('%PDF-1.4\n');
  return bytes;
}
