/** The entry of the page. */
import { render } from 'solid-js/web';
import { z } from 'zod';
import { makeApp } from './app.js';
import { Page } from './shell/page.jsx';

// The content security policy allows no code made from text, with which zod would be faster.
z.config({ jitless: true });

const root = document.getElementById('page');
if (root) render(() => <Page app={makeApp()} />, root);
