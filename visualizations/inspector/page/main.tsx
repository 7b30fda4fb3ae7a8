import { render } from 'preact';
import type { PageData } from '../page-data.js';
import { DATA_ID } from '../page-data.js';
import { App } from './app.js';
import { listen } from './live.js';
import { RunModel } from './run-model.js';
import './style.css';
import { giveStateColours, showTheme } from './theme.js';

const data = JSON.parse(document.getElementById(DATA_ID)?.textContent ?? 'null') as PageData;
const page = document.getElementById('page');
if (page !== null) {
  giveStateColours();
  showTheme('system');
  const model = new RunModel(data.picture);
  if (data.live !== null) listen(model, data.live);
  page.replaceChildren();
  render(<App model={model} />, page);
  performance.mark('flowstate-shown');
}
