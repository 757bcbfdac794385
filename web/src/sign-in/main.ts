// Starts the sign-in page; the token leaves the address bar before anything else happens.
import { mount } from 'svelte';
import '../styles/base.css';
import SignIn from './SignIn.svelte';

const token = new URLSearchParams(location.search).get('token');
if (token !== null) history.replaceState(null, '', location.pathname);

mount(SignIn, { target: document.getElementById('app')!, props: { token } });
