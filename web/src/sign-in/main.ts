// Starts the sign-in page; the token leaves the address bar before anything else happens.
import { mount } from 'svelte';
import '../styles/base.css';
import SignIn from './SignIn.svelte';

const asked = new URLSearchParams(location.search);
const token = asked.get('token');
/** Where a page that sent somebody here is gone back to; nothing else is followed. */
const to = asked.get('to');
const after = to === 'intake' || to === 'desk' ? (`/${to}` as const) : '/wall';
if (token !== null) history.replaceState(null, '', location.pathname);

mount(SignIn, { target: document.getElementById('app')!, props: { token, after } });
