/**
 * A flow of three tasks, twice: once all goes well, once the last task fails and the others are undone.
 */
import { engines, linear, task, typed } from 'flowstate';

function trip({ cardWorks }: { readonly cardWorks: boolean }) {
  const reserve = task({
    name: 'reserve',
    requires: { flight: typed<string>() },
    provides: 'seat',
    execute: ({ flight }) => {
      console.log(`reserve a seat on ${flight}`);
      return '12A';
    },
    revert: ({ result }) => console.log(`give back seat ${String(result)}`),
  });
  const print = task({
    name: 'print',
    requires: { flight: typed<string>(), seat: typed<string>() },
    provides: 'ticket',
    execute: ({ flight, seat }) => {
      console.log('print the ticket');
      return `${flight}, seat ${seat}`;
    },
    revert: () => console.log('tear up the ticket'),
  });
  const pay = task({
    name: 'pay',
    execute: () => {
      if (!cardWorks) throw new Error('the card was declined');
      console.log('pay');
    },
  });
  return linear('trip').add(reserve, print, pay);
}

const { ticket } = await engines.run(trip({ cardWorks: true }), { store: { flight: 'LH 400' } });
console.log(`The ticket: ${String(ticket)}`);

try {
  await engines.run(trip({ cardWorks: false }), { store: { flight: 'LH 400' } });
} catch (error) {
  console.log(`No ticket: ${String(error)}`);
}
