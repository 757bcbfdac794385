// Starts the resident's page; its secret is the last part of the path.
import { mount } from 'svelte';
import '../styles/base.css';
import Follow from './Follow.svelte';

const token = location.pathname.replace(/\/$/, '').split('/').pop() ?? '';
mount(Follow, { target: document.getElementById('app')!, props: { token } });
