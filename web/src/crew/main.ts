// Starts the crew's app: what the phone kept is shown at once, with or without a network.
import { mount } from 'svelte';
import '../styles/base.css';
import './crew.css';
import App from './App.svelte';
import { CrewApp } from './crew.svelte';

if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/crew-sw.js', { scope: '/crew' });
const app = new CrewApp();
void app.start().then(() => mount(App, { target: document.getElementById('app')!, props: { app } }));
